"""Lists of channel connections: orders and keyset pages. Each query is built once and cached."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import ColumnElement, Select, Tuple, bindparam, func, literal_column, select, tuple_, union_all

from onboarding.store import pagination
from onboarding.store.compiled import CompiledQuery, CompiledStatement
from onboarding.store.connection_documents import DOCUMENTED, ConnectionRow
from onboarding.store.connection_filters import COLUMNS, Count, IndexScan, Shape, conditions, is_shared
from onboarding.store.connections import LAST_CHECK, TABLE, sort_name
from onboarding.store.cursors import Key, Position
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows

#: The most rows that a list reads in its order, in 20 ms at most. If they do not fill the page, its matches are far
#: away, and the query begins with the most selective filter.
_WALKED = 5000
#: The most matches of other filters that are read and sorted. Of more, a position may be unknown (`count_ahead`).
MAX_SORTED = 1000
Ts = TypeVarTuple("Ts")


#: The columns and expressions of each order, before the id.
_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "created_at": (TABLE.c.created_at,),
    "updated_at": (TABLE.c.updated_at,),
    "workspace": (TABLE.c.sort_name,),
    "status": (TABLE.c.status, TABLE.c.created_at),
    "checked_at": (LAST_CHECK,),
}
#: The types of their values.
ORDER_KINDS: dict[str, tuple[type[Key], ...]] = {
    "created_at": (datetime,),
    "updated_at": (datetime,),
    "workspace": (str,),
    "status": (str, datetime),
    "checked_at": (datetime,),
}


def page(rows: Rows, scan: IndexScan, request: StorePageRequest, matches: int) -> PageRows[ConnectionRow]:
    """Return the rows of one page.

    `matches`: how many rows the filters match. Few are sorted; many are read in the order of an index.
    """
    if scan.finds_nothing or not matches:
        return PageRows((), None, None)
    order = _order(scan.shape, request.order)
    walks = matches > MAX_SORTED and _walks(scan.shape, order)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[ConnectionRow]:
        inclusive = None if position is None else position.inclusive
        way = _Way(order, descending, inclusive)
        values = {**scan.values, **_here(position, order), "size": size}
        if walks:
            end = _end_of_walk(rows, way, values)
            found = _page(scan.shape._replace(first=None), way, bool(end)).all(rows, {**values, **end})
            if len(found) == size or not end:
                return found
        return _page(scan.shape, way).all(rows, values)

    return pagination.fetch_page(fetch, request, lambda row: Position(_keys(row, request.order), row.id))


def _walks(shape: Shape, order: str) -> bool:
    """Return whether many matches are read in the order of the list, and not in the index of a filter."""
    return not (shape.first is None or shape.is_rare or _is_in_order(shape, order) or "with_shared" in shape.names)


def _is_in_order(shape: Shape, order: str) -> bool:
    """Return whether the index of the first filter has the order of the list."""
    return shape.first in COLUMNS and order in ("created_at", "updated_at")


def _order(shape: Shape, order: str) -> str:
    """Return the order of a query: connections of one status need not be sorted by it."""
    return "created_at" if order == "status" and "status" in shape.names else order


def _end_of_walk(rows: Rows, way: "_Way", values: Mapping[str, Any]) -> dict[str, Key]:
    """Return the values of the row that is `_WALKED` rows further; empty if the list ends before."""
    found = _far_row(way).first_columns(rows, values)
    return {} if found is None else {f"end_{number}": value for number, value in enumerate(found)}


def count_ahead(rows: Rows, scan: IndexScan, request: StorePageRequest, row: ConnectionRow, matches: int) -> int:
    """Count the rows that the order puts ahead of `row`.

    Returns `matches` if there are more than `MAX_SORTED` matches, and finding the number would take long.
    """
    way = _Way(_order(scan.shape, request.order), not request.descending, False)
    values = {**scan.values, **_here(Position(_keys(row, way.order), row.id), way.order), "size": matches}
    if matches <= MAX_SORTED or not _walks(scan.shape, way.order):
        (found,) = _count_ahead(scan.shape, way).all(rows, values)
        return found.number
    if _end_of_walk(rows, way, values):
        return matches
    (found,) = _count_ahead(scan.shape._replace(first=None), way).all(rows, values)
    return found.number


def _keys(row: ConnectionRow, order: str) -> tuple[Key, ...]:
    """Return the values of the order's columns."""
    if order == "workspace":
        return (sort_name(row.workspace_name, row.workspace_id),)
    if order == "status":
        return row.status.value, row.created_at
    if order == "checked_at":
        return (row.checked_at or row.created_at,)
    return (row.updated_at if order == "updated_at" else row.created_at,)


def _here(position: Position | None, order: str) -> dict[str, Key]:
    """Return the values of a position, as `_ordered` names them."""
    values = () if position is None else (*position.keys[-len(_ORDERS[order]) :], position.row_id)
    return {f"here_{number}": value for number, value in enumerate(values)}


class _Way(NamedTuple):
    """The order in which a query reads the list, and from where."""

    order: str
    descending: bool
    #: Whether the query begins with the row at its position; None for the beginning of the list.
    inclusive: bool | None


@lru_cache(maxsize=2000)
def _page(shape: Shape, way: _Way, ends: bool = False) -> CompiledStatement[ConnectionRow]:
    """Return the statement for a page of the list. `ends`: it reads no row after the values of `_end_of_walk`."""
    if "with_shared" in shape.names:
        # The subscriber's own and the shared connections are read from two indexes; one condition with OR would scan.
        base = tuple(name for name in shape.names if name not in ("subscriber_id", "with_shared", "mode"))
        own = Shape((*base, "subscriber_id"), "subscriber_id")
        parts = [conditions(own), [*conditions(shape._replace(names=base)), is_shared(shape.first)]]
    elif shape.first is not None and not _is_in_order(shape, way.order):
        parts = [conditions(shape, sorts=True)]
    else:
        query = _ordered(DOCUMENTED, way, ends).where(*conditions(shape))
        return CompiledStatement(query.limit(bindparam("size")), ConnectionRow)
    # Only the rows of the page are joined with other tables.
    ids = _ordered(select(TABLE.c.id), way).limit(bindparam("size"))
    found = union_all(*(select(ids.where(*part).subquery()) for part in parts)).subquery()
    merged = pagination.walk(DOCUMENTED.where(TABLE.c.id.in_(select(found.c.id))), _columns(way.order), way.descending)
    return CompiledStatement(merged.limit(bindparam("size")), ConnectionRow)


@lru_cache(maxsize=50)
def _far_row(way: _Way) -> CompiledQuery:
    """Return the statement for the row that is `_WALKED` rows further in the list."""
    columns = (column.label(f"end_{number}") for number, column in enumerate(_columns(way.order)))
    query = _ordered(select(*columns), way).where(TABLE.c.environment_id == bindparam("environment"))
    # LIMIT and OFFSET are literals, so that PostgreSQL knows them when it plans the statement without its values.
    return CompiledQuery(query.limit(literal_column("1")).offset(literal_column(str(_WALKED))))


@lru_cache(maxsize=2000)
def _count_ahead(shape: Shape, way: _Way) -> CompiledStatement[Count]:
    """Return the statement that counts the rows between a row and the beginning of the list.

    `way`: from the row to the beginning of the list.
    """
    sorts = shape.first is not None and not _is_in_order(shape, way.order)
    counted = _ordered(select(TABLE.c.id), way).where(*conditions(shape, sorts)).limit(bindparam("size"))
    return CompiledStatement(select(func.count().label("number")).select_from(counted.subquery()), Count)


def _ordered(query: Select[*Ts], way: _Way, ends: bool = False) -> Select[*Ts]:
    columns = _columns(way.order)
    if ends:
        there, end = tuple_(*columns), _tuple("end", columns)
        query = query.where(there >= end if way.descending else there <= end)
    if way.inclusive is None:
        return pagination.walk(query, columns, way.descending)
    if way.order == "checked_at":
        # SQLite uses the index of an expression for the expression alone, and not for a tuple with it.
        first, here = columns[0], bindparam("here_0", type_=columns[0].type)
        query = query.where(first <= here if way.descending else first >= here)
    return pagination.walk(query, columns, way.descending, _tuple("here", columns), way.inclusive)


def _tuple(name: str, columns: tuple[ColumnElement[Any], ...]) -> Tuple:
    return tuple_(*(bindparam(f"{name}_{number}", type_=one.type) for number, one in enumerate(columns)))


def _columns(order: str) -> tuple[ColumnElement[Any], ...]:
    return (*_ORDERS[order], TABLE.c.id)
