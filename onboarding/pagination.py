"""Requests for pages of lists and their results: by cursor, with a capped count."""

from dataclasses import dataclass
from typing import Generic, TypeVar

#: The highest count that the API returns: counting millions of rows would make each page slow.
COUNT_CAP = 50_000

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The requested page. `after` and `before` are unchecked cursors; at most one may be set."""

    limit: int
    after: str | None = None
    before: str | None = None
    #: `created_at` or `updated_at`.
    order: str = "created_at"
    descending: bool = True
    #: Whether the page includes the row at the cursor.
    include_cursor: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. A cursor is None if there is no page in that direction."""

    rows: tuple[T, ...]
    next: str | None
    previous: str | None
    total: int
    total_capped: bool
