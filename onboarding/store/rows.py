"""Typed rows: the columns of a Core query as the fields of a NamedTuple class."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, literal_column
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows

#: Runs a Core statement.
Rows = Session | Connection
#: A SELECT, or a statement with RETURNING.
Query = TypedReturnsRows[*tuple[Any, ...]]
RowT = TypeVar("RowT", bound=NamedTuple)


def dialect_of(rows: Rows) -> str:
    """Return `sqlite` or `postgresql`."""
    bind = rows if isinstance(rows, Connection) else rows.get_bind()
    return bind.dialect.name


def fetch_all(
    rows: Rows, query: Query, row_class: type[RowT], values: Mapping[str, object] | None = None
) -> list[RowT]:
    """Run a query and return its rows. Raises TypeError unless the fields of `row_class` are the query's columns."""
    result = rows.execute(query, values)
    check_fields(row_class, result.keys())
    return [row_class._make(row) for row in result]


def fetch_first(
    rows: Rows, query: Query, row_class: type[RowT], values: Mapping[str, object] | None = None
) -> RowT | None:
    """Run a query and return its first row, or None. Raises TypeError as `fetch_all` does."""
    result = rows.execute(query, values)
    check_fields(row_class, result.keys())
    row = result.first()
    return None if row is None else row_class._make(row)


def exists_per_row(query: Select[*tuple[Any, ...]]) -> ColumnElement[bool]:
    """Return the condition EXISTS, which is checked row by row.

    PostgreSQL may turn any other EXISTS into a join: it would read every row that the query selects, and not only the
    few that a page needs. It never does with an OFFSET.
    """
    return query.offset(literal_column("0")).exists()


def check_fields(row_class: type[NamedTuple], columns: Iterable[str]) -> None:
    """Raise TypeError unless the fields of the class are these columns."""
    names = tuple(columns)
    if names != row_class._fields:
        raise TypeError(f"{row_class.__name__} has other fields than the query's columns: {', '.join(names)}.")
