"""Decide when to repeat a request that a host has not accepted: nine tries in a day."""

import secrets
from datetime import timedelta

#: The waits after the first and each later failure; then the sender gives up. They vary by a tenth, so that messages
#: that failed together are not sent again together.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=7),
    timedelta(hours=9),
)
_JITTER = 0.1
_random = secrets.SystemRandom()


def wait_after(failures: int, asked_seconds: int | None, max_seconds: int) -> timedelta | None:
    """Return the wait after one more failure; None after the last.

    `failures`: how many there were before this one. `asked_seconds`: the wait that the host asks for (`Retry-After`),
    which is kept if it is longer. `max_seconds`: a limit of practice mode; 0 for none.
    """
    if failures >= len(WAITS):
        return None
    seconds = WAITS[failures].total_seconds() * _random.uniform(1 - _JITTER, 1 + _JITTER)
    seconds = max(seconds, asked_seconds or 0)
    return timedelta(seconds=min(seconds, max_seconds) if max_seconds else seconds)
