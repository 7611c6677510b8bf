"""Filters of channel connections: the conditions of a query, which filter's index it reads first, and counts."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from onboarding import search_words
from onboarding.store import connection_words, context_holders, pagination
from onboarding.store.compiled import CompiledStatement
from onboarding.store.connection_words import WordRange
from onboarding.store.connections import TABLE
from onboarding.store.rows import Rows
from onboarding.store.subqueries import IsOneOf

#: The most connections that a rare word or context key may have: they are read and sorted. A more common one is checked
#: row by row while the list is read in its order, because a page is soon full of matches. With a million connections,
#: both take equally long at about this number.
RARE = 4000
#: If several filters are set, the matches of each are counted up to this number. A count takes 3 ms at most.
_COUNTED = 20_000
#: Further words of a search are ignored.
MAX_WORDS = 10


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


class Count(NamedTuple):
    number: int


#: Filters that usually match few connections, and filters that match many, the most selective first. Each column has an
#: index with each of the two times.
_SELECTIVE, _COMMON = ("subscriber_id", "workspace_id", "context_digest"), ("integration_id", "status", "mode")
COLUMNS = (*_SELECTIVE, *_COMMON)


class Shape(NamedTuple):
    """The part of a filter on which the SQL text depends. Each shape has one query of each kind."""

    #: The names of the filters without the text, and the names of its words.
    names: tuple[str, ...]
    #: The filter whose index the query reads first; it checks the others row by row. None reads the list in its order.
    first: str | None
    #: Whether `first` is a context key or a word that at most RARE connections have.
    is_rare: bool = False


@dataclass(frozen=True, slots=True)
class PreparedFilter:
    """The shape of a filter's query, and the values of its conditions."""

    shape: Shape
    values: Mapping[str, Any]
    #: At least one of the filters matches no connection.
    finds_nothing: bool = False


def prepare(rows: Rows, environment_id: str, wanted: ConnectionFilter) -> PreparedFilter:
    """Prepare the query of a filter. It begins with the condition that the fewest connections match.

    They are counted, because neither database knows: PostgreSQL plans a repeated query without its values, and SQLite
    has no statistics.
    """
    words = _words_of(wanted)
    names, values = (*_names(wanted), *words), _values(environment_id, wanted)
    for name, word in words.items():
        values |= connection_words.values(word, name)
    if wanted.text is not None and not search_words.split(wanted.text):
        return PreparedFilter(Shape(names, None), values, finds_nothing=True)
    # A list with the shared connections reads the subscriber's own with another index: see `_page` of connection_lists.
    apart = {"subscriber_id", "mode"} if wanted.with_shared else set()
    ordered = (*_SELECTIVE, "context_key", *words, *_COMMON)
    candidates = [name for name in ordered if name in names and name not in apart]
    # The connections of a subscriber are few.
    if not candidates or candidates[0] == "subscriber_id" or (len(candidates) == 1 and candidates[0] in COLUMNS):
        return PreparedFilter(Shape(names, candidates[0] if candidates else None), values)
    first, fewest = candidates[0], (_COUNTED if len(candidates) > 1 else RARE) + 1
    for name in candidates:
        number = _count_one(rows, environment_id, name, values, fewest)
        if number < fewest:
            first, fewest = name, number
    is_rare = first not in COLUMNS and fewest <= RARE
    return PreparedFilter(Shape(names, first, is_rare), values, finds_nothing=not fewest)


def _words_of(wanted: ConnectionFilter) -> dict[str, WordRange]:
    """Return the words to find by their names."""
    words = [WordRange.beginning(word) for word in search_words.split(wanted.text)]
    words += [WordRange(word, word) for word in search_words.split(wanted.context_id)]
    # A long word is probably a rare one.
    words.sort(key=lambda word: len(word.first), reverse=True)
    return {f"word_{number}": word for number, word in enumerate(words[:MAX_WORDS])}


def _count_one(rows: Rows, environment_id: str, name: str, values: Mapping[str, Any], cap: int) -> int:
    """Count the connections that one filter matches, or the words that one word matches, up to `cap`."""
    if cap == 0:
        return 0
    if name == "context_key":
        return context_holders.count(rows, environment_id, values["context_key_"], cap)
    if name not in COLUMNS:
        return connection_words.count_words(rows, environment_id, WordRange(values[name], values[f"{name}_end"]), cap)
    (found,) = _count(Shape((name,), name)).all(rows, {**values, "size": cap})
    return found.number


def count(rows: Rows, prepared: PreparedFilter, cap: int) -> int:
    """Count the rows up to `cap`, so that a large table does not slow down every page. Not for `with_shared`."""
    if prepared.finds_nothing:
        return 0
    if prepared.shape.names == ("word_0",):
        words = WordRange(prepared.values["word_0"], prepared.values["word_0_end"])
        return connection_words.count(rows, prepared.values["environment"], words, cap)
    if prepared.shape.names == ("context_key",):
        return context_holders.count(rows, prepared.values["environment"], prepared.values["context_key_"], cap)
    (found,) = _count(prepared.shape).all(rows, {**prepared.values, "size": cap})
    return found.number


def _names(wanted: ConnectionFilter) -> tuple[str, ...]:
    """Return the names of the filters that are set, without the text."""
    return tuple(one.name for one in fields(wanted) if one.name != "text" and getattr(wanted, one.name))


def _values(environment_id: str, wanted: ConnectionFilter) -> dict[str, Any]:
    given = {f"{name}_": getattr(wanted, name) for name in (*COLUMNS, "context_key")}
    if wanted.context_id is not None:
        given["context_id_"] = pagination.ending(f":{wanted.context_id}")
    return {"environment": environment_id, **{name: value for name, value in given.items() if value is not None}}


@lru_cache(maxsize=500)
def _count(shape: Shape) -> CompiledStatement[Count]:
    counted = select(TABLE.c.id).where(*conditions(shape)).limit(bindparam("size")).subquery()
    return CompiledStatement(select(func.count().label("number")).select_from(counted), Count)


def conditions(shape: Shape, sorts: bool = False) -> list[ColumnElement[bool]]:
    """Return the conditions of a query that reads the index of `shape.first`, or of the list's order.

    `sorts`: whether the matches of the first filter are sorted, because its index does not have the list's order.
    SQLite must not read the index that has it.
    """
    first_ids = _first_ids(shape, sorts)
    found: list[ColumnElement[bool]] = [
        _column("environment_id", first_ids is None) == bindparam("environment"),
        *(
            _column(name, name == shape.first and not sorts) == bindparam(f"{name}_")
            for name in COLUMNS
            if name in shape.names
        ),
    ]
    if first_ids is not None:
        found.append(IsOneOf(TABLE.c.id, first_ids.scalar_subquery()) if shape.is_rare else TABLE.c.id.in_(first_ids))
    if "context_key" in shape.names and shape.first != "context_key":
        found.append(context_holders.has_key("context_key_"))
    if "context_id" in shape.names:
        found.append(context_holders.has_key_like("context_id_"))
    words = (name for name in shape.names if name.startswith("word_") and name != shape.first)
    return [*found, *(connection_words.has_word(TABLE.c.id, name) for name in words)]


def _column(name: str, uses_index: bool) -> ColumnElement[str]:
    """Return the column. SQLite chooses any index that fits, such as the one of `mode`: no index fits `mode || ''`."""
    return TABLE.c[name] if uses_index else TABLE.c[name] + ""


def _first_ids(shape: Shape, sorts: bool) -> Select[str] | None:
    """Select the connections that the first filter matches; None if the query reads an index in its order."""
    if shape.first is None or (shape.first in COLUMNS and not sorts):
        return None
    if shape.first in COLUMNS:
        same = TABLE.alias()
        is_own = same.c.environment_id == bindparam("environment")
        return select(same.c.id).where(is_own, same.c[shape.first] == bindparam(f"{shape.first}_"))
    is_key = shape.first == "context_key"
    ids = context_holders.with_key("context_key_") if is_key else connection_words.with_word(shape.first)
    # With a limit, PostgreSQL knows that they are few. It is twice RARE: some may be added after the count.
    return ids.limit(2 * RARE) if shape.is_rare else ids


def is_shared(first: str | None) -> ColumnElement[bool]:
    """Return the condition for shared connections. Without other filters it may use the index of `mode`."""
    return _column("mode", first is None) == "shared"
