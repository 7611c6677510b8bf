"""Keyset pagination: positions in an ordered list, the pages beside them, and the cursors that clients get."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Select, Tuple, literal, tuple_

from onboarding.pagination import Page, PageRequest
from onboarding.store.cursors import Key, Position, cursor, read_cursor

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")
_Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class StorePageRequest:
    """A page to read. At most one of `after` and `before` is set."""

    size: int
    after: Position | None = None
    before: Position | None = None
    order: str = "created_at"
    descending: bool = True
    #: Identifies the list by resource, environment and order. A cursor is valid for one list.
    list_key: str = ""

    def including(self) -> "StorePageRequest":
        """Return the same page with the row at the cursor."""
        return replace(
            self,
            after=replace(self.after, inclusive=True) if self.after else None,
            before=replace(self.before, inclusive=True) if self.before else None,
        )


def store_page_request(
    resource: str, environment_id: str, page: PageRequest, kinds: tuple[type[Key], ...] = (datetime,)
) -> StorePageRequest:
    """Translate a page request. `resource` names what is listed, `kinds` are the types of the order's values.

    Raises Refused (`cursor_unknown`).
    """
    list_key = f"{resource} {environment_id} {page.order} {'DESC' if page.descending else 'ASC'}"
    after, before = (
        read_cursor(list_key, encoded, field, kinds)
        for encoded, field in ((page.after, "after"), (page.before, "before"))
    )
    request = StorePageRequest(page.limit, after, before, page.order, page.descending, list_key)
    return request.including() if page.include_cursor else request


@dataclass(frozen=True, slots=True)
class PageRows(Generic[T]):
    """One page, and the positions of the next and the previous page; None where there is no such page."""

    rows: Sequence[T]
    next: Position | None
    previous: Position | None


def fetch_page(
    fetch: Callable[..., Sequence[T]], request: StorePageRequest, position_of: Callable[[T], Position]
) -> PageRows[T]:
    """Read one page with `fetch(descending=, position=, size=)`.

    A query checks whether a page precedes this one, because the cursor's row may have been deleted.
    """
    backwards = request.before is not None
    start = request.before or request.after
    found = list(fetch(descending=request.descending != backwards, position=start, size=request.size + 1))
    more, rows = len(found) > request.size, found[: request.size]
    if backwards:
        rows.reverse()
    far = position_of(rows[0] if backwards else rows[-1]) if more else None
    near: Position | None = None
    if start is not None:
        edge = _near_edge(rows, backwards, start, position_of)
        near = edge if fetch(descending=request.descending == backwards, position=edge, size=1) else None
    return PageRows(rows, near, far) if backwards else PageRows(rows, far, near)


def page_of(request: StorePageRequest, page_rows: PageRows[T], total: int, cap: int, make: Callable[[T], R]) -> Page[R]:
    """Build the page that services return. `total` may exceed `cap`; it is cut to it."""
    return Page(
        tuple(make(row) for row in page_rows.rows),
        cursor(request.list_key, page_rows.next),
        cursor(request.list_key, page_rows.previous),
        min(total, cap),
        total > cap,
    )


def _near_edge(rows: list[T], backwards: bool, start: Position, position_of: Callable[[T], Position]) -> Position:
    """Return the position next to the page that the cursor came from."""
    if rows:
        return position_of(rows[-1] if backwards else rows[0])
    return replace(start, inclusive=not start.inclusive)


def seek(
    query: Select[*Ts], moment: _Column, row_id: _Column, descending: bool, position: Position | None
) -> Select[*Ts]:
    """Order the query by the two columns and start it at `position`, or at the beginning of the list."""
    if position is None:
        return seek_columns(query, (moment, row_id), descending)
    start = tuple_(literal(position.keys[0], moment.type), literal(position.row_id))
    return seek_columns(query, (moment, row_id), descending, start, position.inclusive)


def seek_columns(
    query: Select[*Ts],
    order: tuple[_Column, ...],
    descending: bool,
    start: Tuple | None = None,
    inclusive: bool = False,
) -> Select[*Ts]:
    """Order the query by any columns, and start it at `start`, a tuple of their values, as `seek` does."""
    row = tuple_(*order)
    if start is not None and descending:
        query = query.where(row <= start if inclusive else row < start)
    elif start is not None:
        query = query.where(row >= start if inclusive else row > start)
    return query.order_by(*(column.desc() if descending else column for column in order))


def containing(text: str) -> str:
    """Return a LIKE pattern for values that contain this text, with the backslash as its escape character."""
    return "%" + _escaped(text) + "%"


def ending(text: str) -> str:
    """Return a LIKE pattern for values that end with this text, with the backslash as its escape character."""
    return "%" + _escaped(text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
