"""Keyset pages: a place in an order, one turn of the page, and the cursor that carries a place to a client and back."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import literal, tuple_

from onboarding.errors import Refused
from onboarding.listing import PageAsk, PageOf


@dataclass(frozen=True, slots=True)
class Place:
    """A row's moment and id. The row need not be there any more: its place is."""

    moment: datetime
    row_id: str
    #: Whether the page begins with the row at this place itself.
    inclusive: bool = False


T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page is wanted. `after` and `before` exclude each other."""

    size: int
    after: Place | None = None
    before: Place | None = None
    order: str = "created_at"
    descending: bool = True
    #: Which list: what is listed, in which environment and in which order. A cursor holds for that one alone.
    of: str = ""

    def including(self) -> "Turn":
        """The same page with the row at the cursor's own place."""
        return replace(
            self,
            after=replace(self.after, inclusive=True) if self.after else None,
            before=replace(self.before, inclusive=True) if self.before else None,
        )


def turn_of(kind: str, environment_id: str, ask: PageAsk) -> Turn:
    """`kind`: what is listed. Raises Refused (`cursor_unknown`)."""
    of = f"{kind} {environment_id} {ask.order} {'DESC' if ask.descending else 'ASC'}"
    after, before = read_cursor(of, ask.after, "after"), read_cursor(of, ask.before, "before")
    turn = Turn(ask.limit, after, before, ask.order, ask.descending, of)
    return turn.including() if ask.include_cursor else turn


@dataclass(frozen=True, slots=True)
class Leaf(Generic[T]):
    """One page, and the places from which the pages beside it begin; None where there is none."""

    rows: Sequence[T]
    next: Place | None
    previous: Place | None


def turn_page(fetch: Callable[..., Sequence[T]], turn: Turn, place_of: Callable[[T], Place]) -> Leaf[T]:
    """Reads one page. Whether there is another beside it is asked, never guessed: the row behind a cursor may be gone."""
    backwards = turn.before is not None
    origin = turn.before or turn.after
    found = list(fetch(descending=turn.descending != backwards, place=origin, size=turn.size + 1))
    more, rows = len(found) > turn.size, found[: turn.size]
    if backwards:
        rows.reverse()
    far = place_of(rows[0] if backwards else rows[-1]) if more else None
    near: Place | None = None
    if origin is not None:
        edge = _near_edge(rows, backwards, origin, place_of)
        near = edge if fetch(descending=turn.descending == backwards, place=edge, size=1) else None
    return Leaf(rows, near, far) if backwards else Leaf(rows, far, near)


def page_of(turn: Turn, leaf: Leaf[Any], total: int, cap: int, make: Callable[[Any], R]) -> PageOf[R]:
    """`total` may have been counted past `cap`."""
    return PageOf(
        tuple(make(row) for row in leaf.rows),
        cursor(turn.of, leaf.next),
        cursor(turn.of, leaf.previous),
        min(total, cap),
        total > cap,
    )


def cursor(of: str, place: Place | None) -> str | None:
    if place is None:
        return None
    # The id last: it may have any character in it.
    told = "|".join((place.moment.isoformat(), "i" if place.inclusive else "", place.row_id))
    return base64.urlsafe_b64encode(f"{_mark(of, told)}|{told}".encode()).decode().rstrip("=")


def read_cursor(of: str, text: str | None, field: str) -> Place | None:
    """Raises Refused (`cursor_unknown`) for one that is not ours or not whole, of another list or another order."""
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        mark, _, told = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        moment, inclusive, row_id = told.split("|", 2)
        place = Place(datetime.fromisoformat(moment).astimezone(UTC), row_id, inclusive == "i")
    except (binascii.Error, ValueError, OverflowError):
        mark, told, place = "", "", None
    if place is None or mark != _mark(of, told) or "\0" in place.row_id:
        raise Refused("This place in the list is not known. Start from its beginning.", field, "cursor_unknown")
    return place


def _near_edge(rows: list[T], backwards: bool, origin: Place, place_of: Callable[[T], Place]) -> Place:
    """From where to look back towards the side that the cursor came from."""
    if rows:
        return place_of(rows[-1] if backwards else rows[0])
    return replace(origin, inclusive=not origin.inclusive)


def _mark(of: str, told: str) -> str:
    """Ties a cursor to its list, and shows whether it came whole. It guards nothing: a place opens no list."""
    return hashlib.sha256(f"{of}|{told}".encode()).hexdigest()[:16]


def seek(query: Any, moment: Any, row_id: Any, descending: bool, place: Place | None) -> Any:
    """The query from `place` on, in the order of the two columns."""
    if place is None:
        return walk(query, moment, row_id, descending)
    here = tuple_(literal(place.moment, moment.type), literal(place.row_id))
    return walk(query, moment, row_id, descending, here, place.inclusive)


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
