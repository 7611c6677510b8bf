"""Lists of channel connections: orders and keyset pages. Each query is built once and cached."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import ColumnElement, Select, Tuple, bindparam, func, literal_column, select, tuple_, union_all

from onboarding.store import pagination
from onboarding.store.compiled import CompiledQuery, CompiledStatement
from onboarding.store.connection_documents import DOCUMENTED, ConnectionRow
from onboarding.store.connection_filters import COLUMNS, Count, PreparedFilter, Shape, conditions, is_shared
from onboarding.store.connections import LAST_CHECK, TABLE, sort_name
from onboarding.store.cursors import Key, Position
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows

#: The most rows that a list reads in its order, in 20 ms at most. If their matches do not fill the page, the query
#: begins with the most selective filter instead.
_MAX_READ = 5000
#: The most matches of other filters that are read and sorted. With more, a row's position may be unknown
#: (`count_ahead`).
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


def page(rows: Rows, prepared: PreparedFilter, request: StorePageRequest, matches: int) -> PageRows[ConnectionRow]:
    """Return the rows of one page.

    `matches`: how many rows the filters match. Few are sorted; many are read in the order of an index.
    """
    if prepared.finds_nothing or not matches:
        return PageRows((), None, None)
    order = _order(prepared.shape, request.order)
    in_order = matches > MAX_SORTED and _reads_list_order(prepared.shape, order)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[ConnectionRow]:
        inclusive = None if position is None else position.inclusive
        sorting = _Sorting(order, descending, inclusive)
        values = {**prepared.values, **_position_values(position, order), "size": size}
        if in_order:
            end = _last_row_to_read(rows, sorting, values)
            found = _page(prepared.shape._replace(first=None), sorting, bool(end)).all(rows, {**values, **end})
            if len(found) == size or not end:
                return found
        return _page(prepared.shape, sorting).all(rows, values)

    return pagination.fetch_page(fetch, request, lambda row: Position(_keys(row, request.order), row.id))


def _reads_list_order(shape: Shape, order: str) -> bool:
    """Return whether many matches are read in the list's order, and not from the index of a filter."""
    return not (shape.first is None or shape.is_rare or _is_in_order(shape, order) or "with_shared" in shape.names)


def _is_in_order(shape: Shape, order: str) -> bool:
    """Return whether the index of the first filter has the order of the list."""
    return shape.first in COLUMNS and order in ("created_at", "updated_at")


def _order(shape: Shape, order: str) -> str:
    """Return the order of a query: connections of one status need not be sorted by it."""
    return "created_at" if order == "status" and "status" in shape.names else order


def _last_row_to_read(rows: Rows, sorting: "_Sorting", values: Mapping[str, Any]) -> dict[str, Key]:
    """Return the values of the row that is `_MAX_READ` rows further; empty if the list ends before it."""
    found = _far_row(sorting).first_columns(rows, values)
    return {} if found is None else {f"end_{number}": value for number, value in enumerate(found)}


def count_ahead(
    rows: Rows, prepared: PreparedFilter, request: StorePageRequest, row: ConnectionRow, matches: int
) -> int:
    """Count the rows that the order puts ahead of `row`.

    Returns `matches` if there are more than `MAX_SORTED` matches, and finding the number would take long.
    """
    sorting = _Sorting(_order(prepared.shape, request.order), not request.descending, False)
    values = {
        **prepared.values,
        **_position_values(Position(_keys(row, sorting.order), row.id), sorting.order),
        "size": matches,
    }
    if matches <= MAX_SORTED or not _reads_list_order(prepared.shape, sorting.order):
        (found,) = _count_ahead(prepared.shape, sorting).all(rows, values)
        return found.number
    if _last_row_to_read(rows, sorting, values):
        return matches
    (found,) = _count_ahead(prepared.shape._replace(first=None), sorting).all(rows, values)
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


def _position_values(position: Position | None, order: str) -> dict[str, Key]:
    """Return the values of a position, as `_ordered` names them."""
    values = () if position is None else (*position.keys[-len(_ORDERS[order]) :], position.row_id)
    return {f"position_{number}": value for number, value in enumerate(values)}


class _Sorting(NamedTuple):
    """The order in which a query reads the list, and where it starts."""

    order: str
    descending: bool
    #: Whether the query begins with the row at its position; None for the beginning of the list.
    inclusive: bool | None


@lru_cache(maxsize=2000)
def _page(shape: Shape, sorting: _Sorting, ends: bool = False) -> CompiledStatement[ConnectionRow]:
    """Return the statement for a page of the list. `ends`: it reads no row after the values of `_last_row_to_read`."""
    if "with_shared" in shape.names:
        # The subscriber's own and the shared connections are read from two indexes; one condition with OR would scan.
        base = tuple(name for name in shape.names if name not in ("subscriber_id", "with_shared", "mode"))
        own = Shape((*base, "subscriber_id"), "subscriber_id")
        parts = [conditions(own), [*conditions(shape._replace(names=base)), is_shared(shape.first)]]
    elif shape.first is not None and not _is_in_order(shape, sorting.order):
        parts = [conditions(shape, sorts=True)]
    else:
        query = _ordered(DOCUMENTED, sorting, ends).where(*conditions(shape))
        return CompiledStatement(query.limit(bindparam("size")), ConnectionRow)
    # Only the rows of the page are joined with other tables.
    ids = _ordered(select(TABLE.c.id), sorting).limit(bindparam("size"))
    found = union_all(*(select(ids.where(*part).subquery()) for part in parts)).subquery()
    merged = pagination.seek_columns(
        DOCUMENTED.where(TABLE.c.id.in_(select(found.c.id))), _columns(sorting.order), sorting.descending
    )
    return CompiledStatement(merged.limit(bindparam("size")), ConnectionRow)


@lru_cache(maxsize=50)
def _far_row(sorting: _Sorting) -> CompiledQuery:
    """Return the statement for the row that is `_MAX_READ` rows further in the list."""
    columns = (column.label(f"end_{number}") for number, column in enumerate(_columns(sorting.order)))
    query = _ordered(select(*columns), sorting).where(TABLE.c.environment_id == bindparam("environment"))
    # LIMIT and OFFSET are literals, so that PostgreSQL knows them when it plans the statement without its values.
    return CompiledQuery(query.limit(literal_column("1")).offset(literal_column(str(_MAX_READ))))


@lru_cache(maxsize=2000)
def _count_ahead(shape: Shape, sorting: _Sorting) -> CompiledStatement[Count]:
    """Return the statement that counts the rows between a row and the beginning of the list.

    `sorting`: from the row to the beginning of the list.
    """
    sorts = shape.first is not None and not _is_in_order(shape, sorting.order)
    counted = _ordered(select(TABLE.c.id), sorting).where(*conditions(shape, sorts)).limit(bindparam("size"))
    return CompiledStatement(select(func.count().label("number")).select_from(counted.subquery()), Count)


def _ordered(query: Select[*Ts], sorting: _Sorting, ends: bool = False) -> Select[*Ts]:
    columns = _columns(sorting.order)
    if ends:
        row, end = tuple_(*columns), _tuple("end", columns)
        query = query.where(row >= end if sorting.descending else row <= end)
    if sorting.inclusive is None:
        return pagination.seek_columns(query, columns, sorting.descending)
    if sorting.order == "checked_at":
        # SQLite uses the index of an expression for the expression alone, and not for a tuple with it.
        first, start = columns[0], bindparam("position_0", type_=columns[0].type)
        query = query.where(first <= start if sorting.descending else first >= start)
    return pagination.seek_columns(query, columns, sorting.descending, _tuple("position", columns), sorting.inclusive)


def _tuple(name: str, columns: tuple[ColumnElement[Any], ...]) -> Tuple:
    return tuple_(*(bindparam(f"{name}_{number}", type_=one.type) for number, one in enumerate(columns)))


def _columns(order: str) -> tuple[ColumnElement[Any], ...]:
    return (*_ORDERS[order], TABLE.c.id)
