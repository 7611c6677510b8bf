"""Lists of channel connections: filters, orders and keyset pages. Each query is built once and cached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select, tuple_, union_all

from onboarding import search_words
from onboarding.store import connection_words, context_holders, pagination
from onboarding.store.compiled import CompiledStatement
from onboarding.store.connection_documents import DOCUMENTED, ConnectionRow
from onboarding.store.connections import HOLDING, LAST_CHECK, TABLE, sort_name
from onboarding.store.cursors import Key, Position
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows

#: The most connections that a rare word or context key may have: they are read and sorted. A more common one is checked
#: row by row while the list is read in its order, because a page is soon full of matches. With a million connections,
#: both take equally long at about this number.
RARE = 4000
#: The most matches of other filters that are read and sorted.
_SORTED = 1000
#: Further words of a search are ignored.
MAX_WORDS = 10
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """The filters of a list; None does not filter."""

    integration_id: str | None = None
    mode: str | None = None
    subscriber_id: str | None = None
    #: With `subscriber_id`: include the shared connections.
    with_shared: bool = False
    #: Of the exact set of context keys (`identity.context_digest`).
    context_digest: str | None = None
    #: One of the context keys.
    context_key: str | None = None
    #: The id of one of the context keys, of any type.
    context_id: str | None = None
    workspace_id: str | None = None
    status: str | None = None
    #: Words, or beginnings of words, of the workspace, subscriber, identifier and context keys. Each must be found.
    text: str | None = None


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


class _Count(NamedTuple):
    number: int


#: The most selective first: the query reads the index of the first one that is filtered by.
_COLUMNS = ("subscriber_id", "workspace_id", "context_digest", "integration_id", "status", "mode")


@dataclass(frozen=True, slots=True)
class IndexScan:
    """A filter as a query's conditions and their values."""

    shape: tuple[str, ...]
    values: Mapping[str, Any]
    #: No connection has the context key or a word of the search.
    finds_nothing: bool = False


def scan_of(rows: Rows, environment_id: str, wanted: ConnectionFilter) -> IndexScan:
    """Translate a filter. The query begins with the context key, or with a word, if few connections have it."""
    shape, values = _shape(wanted), _values(environment_id, wanted)
    # A long word is probably a rare one.
    words = sorted(search_words.split(wanted.text, wanted.context_id)[:MAX_WORDS], key=len, reverse=True)
    if wanted.text is not None and not words:
        return IndexScan(shape, values, finds_nothing=True)
    if wanted.context_key is not None:
        number = context_holders.count(rows, environment_id, wanted.context_key, RARE + 1)
        if number <= RARE:
            shape = tuple("rare_key" if name == "context_key" else name for name in shape)
            return IndexScan(*_with_words(shape, values, words), finds_nothing=not number)
    for word in words:
        number = connection_words.count_words(rows, environment_id, word, RARE + 1)
        if number <= RARE:
            words.remove(word)
            shape, values = (*shape, "rare_word"), {**values, **connection_words.values(word, "rare_word")}
            return IndexScan(*_with_words(shape, values, words), finds_nothing=not number)
    return IndexScan(*_with_words(shape, values, words))


def _with_words(
    shape: tuple[str, ...], values: dict[str, Any], words: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Add the words that are checked row by row."""
    names = {f"word_{number}": word for number, word in enumerate(words)}
    for name, word in names.items():
        values |= connection_words.values(word, name)
    return (*shape, *names), values


def page(rows: Rows, scan: IndexScan, request: StorePageRequest, matches: int = 0) -> PageRows[ConnectionRow]:
    """Return the rows of one page.

    `matches`: how many rows the filters match. Few are sorted; many are read in the order of an index.
    """
    sorts = matches <= _SORTED
    if scan.finds_nothing:
        return PageRows((), None, None)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[ConnectionRow]:
        inclusive = None if position is None else position.inclusive
        query = _page(scan.shape, request.order, descending, inclusive, sorts)
        here = {} if position is None else {**_numbered(position.keys), "row_id": position.row_id}
        return query.all(rows, {**scan.values, **here, "size": size})

    return pagination.fetch_page(fetch, request, lambda row: Position(_keys(row, request.order), row.id))


def count(rows: Rows, scan: IndexScan, cap: int) -> int:
    """Count the rows up to `cap`, so that a large table does not slow down every page. Not for `with_shared`."""
    if scan.finds_nothing:
        return 0
    if scan.shape in (("rare_word",), ("word_0",)):
        (name,) = scan.shape
        return connection_words.count(rows, scan.values["environment"], scan.values[name], cap)
    if scan.shape in (("rare_key",), ("context_key",)):
        return context_holders.count(rows, scan.values["environment"], scan.values["context_key_"], cap)
    (found,) = _count(scan.shape).all(rows, {**scan.values, "size": cap})
    return found.number


def count_ahead(rows: Rows, scan: IndexScan, request: StorePageRequest, row: ConnectionRow, cap: int) -> int:
    """Count the rows that the order puts ahead of `row`, up to `cap`."""
    query = _count_ahead(scan.shape, request.order, not request.descending)
    here = {**_numbered(_keys(row, request.order)), "row_id": row.id}
    (found,) = query.all(rows, {**scan.values, **here, "size": cap})
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


def _numbered(keys: tuple[Key, ...]) -> dict[str, Key]:
    return {f"key_{number}": key for number, key in enumerate(keys)}


def _shape(wanted: ConnectionFilter) -> tuple[str, ...]:
    """Return the names of the filters that are set. Each such shape has one query."""
    return tuple(one.name for one in fields(wanted) if one.name != "text" and getattr(wanted, one.name))


def _values(environment_id: str, wanted: ConnectionFilter) -> dict[str, Any]:
    given = {f"{name}_": getattr(wanted, name) for name in (*_COLUMNS, "context_key")}
    if wanted.context_id is not None:
        given["context_id_"] = pagination.ending(f":{wanted.context_id}")
    return {"environment": environment_id, **{name: value for name, value in given.items() if value is not None}}


@lru_cache(maxsize=2000)
def _page(
    shape: tuple[str, ...], order: str, descending: bool, inclusive: bool | None, sorts: bool
) -> CompiledStatement[ConnectionRow]:
    """Return the statement for a page of the list.

    `inclusive`: whether the page begins with the row at its position; None for the beginning of the list.
    """
    if "with_shared" in shape:
        # The subscriber's own and the shared connections are read from two indexes; one condition with OR would scan.
        base = tuple(name for name in shape if name not in ("subscriber_id", "with_shared", "mode"))
        parts = [_conditions((*base, "subscriber_id")), [*_conditions(base), _is_shared(base)]]
    elif _is_rare(shape):
        parts = [_conditions(shape)]
    else:
        # Each filter has an index with each of the two times, and none with another order.
        by_filter = sorts or order in ("created_at", "updated_at")
        query = _ordered(DOCUMENTED, order, descending, inclusive).where(*_conditions(shape, by_filter, sorts))
        return CompiledStatement(query.limit(bindparam("size")), ConnectionRow)
    # Only the rows of the page are joined with other tables.
    ids = _ordered(select(TABLE.c.id), order, descending, inclusive).limit(bindparam("size"))
    found = union_all(*(select(ids.where(*part).subquery()) for part in parts)).subquery()
    merged = pagination.walk(DOCUMENTED.where(TABLE.c.id.in_(select(found.c.id))), _columns(order), descending)
    return CompiledStatement(merged.limit(bindparam("size")), ConnectionRow)


@lru_cache(maxsize=500)
def _count(shape: tuple[str, ...]) -> CompiledStatement[_Count]:
    counted = select(TABLE.c.id).where(*_conditions(shape)).limit(bindparam("size")).subquery()
    return CompiledStatement(select(func.count().label("number")).select_from(counted), _Count)


@lru_cache(maxsize=2000)
def _count_ahead(shape: tuple[str, ...], order: str, descending: bool) -> CompiledStatement[_Count]:
    """Return the statement that counts the rows between a row and the beginning of the list.

    `descending`: the direction from the row to the beginning of the list.
    """
    counted = _ordered(select(TABLE.c.id), order, descending, False).where(*_conditions(shape)).limit(bindparam("size"))
    return CompiledStatement(select(func.count().label("number")).select_from(counted.subquery()), _Count)


def _ordered(query: Select[*Ts], order: str, descending: bool, inclusive: bool | None) -> Select[*Ts]:
    columns = _columns(order)
    if inclusive is None:
        return pagination.walk(query, columns, descending)
    names = [f"key_{number}" for number in range(len(columns) - 1)]
    here = tuple_(*(bindparam(name, type_=one.type) for name, one in zip([*names, "row_id"], columns, strict=True)))
    return pagination.walk(query, columns, descending, here, inclusive)


def _columns(order: str) -> tuple[ColumnElement[Any], ...]:
    return (*_ORDERS[order], TABLE.c.id)


def _conditions(shape: tuple[str, ...], by_filter: bool = True, is_sorted: bool = True) -> list[ColumnElement[bool]]:
    """Return the conditions of a query.

    `by_filter`: the query may read the index of its most selective filter. `is_sorted`: the rows are counted or sorted,
    and not read in the order of an index.
    """
    begins_with_key = "context_key" in shape and is_sorted and not set(shape) & set(_COLUMNS)
    is_rare = _is_rare(shape)
    environment = TABLE.c.environment_id + "" if begins_with_key or is_rare else TABLE.c.environment_id
    conditions: list[ColumnElement[bool]] = [environment == bindparam("environment")]
    # SQLite chooses any index that fits, such as the one of `mode`: `|| ''` leaves it only the most selective or,
    # without `by_filter`, none.
    asked = [name for name in _COLUMNS if name in shape]
    by_index = 1 if by_filter and not is_rare else 0
    conditions += [TABLE.c[name] == bindparam(f"{name}_") for name in asked[:by_index]]
    conditions += [TABLE.c[name] + "" == bindparam(f"{name}_") for name in asked[by_index:]]
    if is_rare:
        few = (
            context_holders.with_key("context_key_") if "rare_key" in shape else connection_words.with_word("rare_word")
        )
        # With a limit, PostgreSQL knows that they are few. It is twice RARE: some may be added after the count.
        conditions.append(TABLE.c.id.in_(few.limit(2 * RARE)))
    if "context_key" in shape:
        holders = context_holders.with_key("context_key_")
        conditions.append(TABLE.c.id.in_(holders) if begins_with_key else context_holders.has_key("context_key_"))
    if "context_id" in shape:
        has_id = HOLDING.c.key.like(bindparam("context_id_"), escape="\\")
        conditions.append(select(HOLDING.c.key).where(HOLDING.c.connection_id == TABLE.c.id, has_id).exists())
    conditions += [connection_words.has_word(TABLE.c.id, name) for name in shape if name.startswith("word_")]
    return conditions


def _is_rare(shape: tuple[str, ...]) -> bool:
    return "rare_key" in shape or "rare_word" in shape


def _is_shared(shape: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition for shared connections. Without other filters it may use the index of `mode`."""
    return (TABLE.c.mode + "" if set(shape) & set(_COLUMNS) else TABLE.c.mode) == "shared"
