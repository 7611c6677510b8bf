"""Keyset pages: a position in an order, one request of the page, and the cursor that carries a position to a client and back."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import literal, tuple_

from onboarding.errors import Refused
from onboarding.pagination import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Position:
    """A row's moment and id. The row need not be there any more: its position is."""

    moment: datetime
    row_id: str
    #: Whether the page begins with the row at this position itself.
    inclusive: bool = False


T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class StorePageRequest:
    """Which page is wanted. `after` and `before` exclude each other."""

    size: int
    after: Position | None = None
    before: Position | None = None
    order: str = "created_at"
    descending: bool = True
    #: Which list: what is listed, in which environment and in which order. A cursor holds for that one alone.
    of: str = ""

    def including(self) -> "StorePageRequest":
        """The same page with the row at the cursor's own position."""
        return replace(
            self,
            after=replace(self.after, inclusive=True) if self.after else None,
            before=replace(self.before, inclusive=True) if self.before else None,
        )


def store_page_request(kind: str, environment_id: str, ask: PageRequest) -> StorePageRequest:
    """`kind`: what is listed. Raises Refused (`cursor_unknown`)."""
    of = f"{kind} {environment_id} {ask.order} {'DESC' if ask.descending else 'ASC'}"
    after, before = read_cursor(of, ask.after, "after"), read_cursor(of, ask.before, "before")
    request = StorePageRequest(ask.limit, after, before, ask.order, ask.descending, of)
    return request.including() if ask.include_cursor else request


@dataclass(frozen=True, slots=True)
class PageRows(Generic[T]):
    """One page, and the places from which the pages beside it begin; None where there is none."""

    rows: Sequence[T]
    next: Position | None
    previous: Position | None


def fetch_page(
    fetch: Callable[..., Sequence[T]], request: StorePageRequest, position_of: Callable[[T], Position]
) -> PageRows[T]:
    """Reads one page. Whether there is another beside it is asked, never guessed: the row behind a cursor may be gone."""
    backwards = request.before is not None
    origin = request.before or request.after
    found = list(fetch(descending=request.descending != backwards, position=origin, size=request.size + 1))
    more, rows = len(found) > request.size, found[: request.size]
    if backwards:
        rows.reverse()
    far = position_of(rows[0] if backwards else rows[-1]) if more else None
    near: Position | None = None
    if origin is not None:
        edge = _near_edge(rows, backwards, origin, position_of)
        near = edge if fetch(descending=request.descending == backwards, position=edge, size=1) else None
    return PageRows(rows, near, far) if backwards else PageRows(rows, far, near)


def page_of(
    request: StorePageRequest, page_rows: PageRows[Any], total: int, cap: int, make: Callable[[Any], R]
) -> Page[R]:
    """`total` may have been counted past `cap`."""
    return Page(
        tuple(make(row) for row in page_rows.rows),
        cursor(request.of, page_rows.next),
        cursor(request.of, page_rows.previous),
        min(total, cap),
        total > cap,
    )


def cursor(of: str, position: Position | None) -> str | None:
    if position is None:
        return None
    # The id last: it may have any character in it.
    told = "|".join((position.moment.isoformat(), "i" if position.inclusive else "", position.row_id))
    return base64.urlsafe_b64encode(f"{_mark(of, told)}|{told}".encode()).decode().rstrip("=")


def read_cursor(of: str, text: str | None, field: str) -> Position | None:
    """Raises Refused (`cursor_unknown`) for one that is not ours or not whole, of another list or another order."""
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        mark, _, told = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        moment, inclusive, row_id = told.split("|", 2)
        position = Position(datetime.fromisoformat(moment).astimezone(UTC), row_id, inclusive == "i")
    except (binascii.Error, ValueError, OverflowError):
        mark, told, position = "", "", None
    if position is None or mark != _mark(of, told) or "\0" in position.row_id:
        raise Refused("This place in the list is not known. Start from its beginning.", field, "cursor_unknown")
    return position


def _near_edge(rows: list[T], backwards: bool, origin: Position, position_of: Callable[[T], Position]) -> Position:
    """From where to look back towards the side that the cursor came from."""
    if rows:
        return position_of(rows[-1] if backwards else rows[0])
    return replace(origin, inclusive=not origin.inclusive)


def _mark(of: str, told: str) -> str:
    """Ties a cursor to its list, and shows whether it came whole. It guards nothing: a position opens no list."""
    return hashlib.sha256(f"{of}|{told}".encode()).hexdigest()[:16]


def seek(query: Any, moment: Any, row_id: Any, descending: bool, position: Position | None) -> Any:
    """The query from `position` on, in the order of the two columns."""
    if position is None:
        return walk(query, moment, row_id, descending)
    here = tuple_(literal(position.moment, moment.type), literal(position.row_id))
    return walk(query, moment, row_id, descending, here, position.inclusive)


def walk(query: Any, moment: Any, row_id: Any, descending: bool, here: Any = None, inclusive: bool = False) -> Any:
    """The same from `here` on, a tuple of both; None is the beginning."""
    there = tuple_(moment, row_id)
    if here is not None and descending:
        query = query.where(there <= here if inclusive else there < here)
    elif here is not None:
        query = query.where(there >= here if inclusive else there > here)
    return query.order_by(moment.desc(), row_id.desc()) if descending else query.order_by(moment, row_id)


def containing(text: str) -> str:
    """A LIKE pattern for what contains this text; its escape character is the backslash."""
    return "%" + _escaped(text) + "%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
