"""The one place that reads the time. Every time in the product is UTC with a zone."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, UTC, to the microsecond."""
    return datetime.now(UTC)
