"""Lists as doors ask for them and as services answer: by cursor, with a count that ends at a cap."""

from dataclasses import dataclass
from typing import Generic, TypeVar

#: A program's count goes no further: counting millions would make every page slow.
COUNT_CAP = 50_000

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted. `after` and `before` are cursors as they came, and exclude each other."""

    limit: int
    after: str | None = None
    before: str | None = None
    #: `created_at` or `updated_at`.
    order: str = "created_at"
    descending: bool = True
    #: The row at the cursor itself, too.
    include_cursor: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. A cursor is None where there is nothing beyond."""

    rows: tuple[T, ...]
    next: str | None
    previous: str | None
    total: int
    total_capped: bool
