"""Whose turn it is: how many requests of this process work at once.

Its threads are many, since installs wait on Slack for seconds and hold one each. Those that work share one interpreter, and
the more of them there are the longer they fight for it. So few work, and who waits for somebody else steps aside.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: One would do for what Python does; the others are for those that wait for the disk or the database.
PLACES = 2
#: Nobody waits longer. A database that has stopped answering must not keep out who does not need it.
_LONGEST_WAIT_SECONDS = 1.0

#: Plain locks, one a place: whatever is written in Python around them is fought for, too.
_places = tuple(threading.Lock() for _ in range(PLACES))
_next = itertools.cycle(_places)
_here = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Waits for a place, and works on it."""
    _take()
    try:
        yield
    finally:
        _leave()


@contextmanager
def aside() -> Iterator[None]:
    """While something else is waited for, somebody else may work. Of no effect where nobody has taken a turn."""
    if not _leave():
        yield
        return
    try:
        yield
    finally:
        _take()


def _take() -> None:
    for place in _places:
        if place.acquire(blocking=False):
            _here.place = place
            return
    place = next(_next)
    _here.place = place if place.acquire(timeout=_LONGEST_WAIT_SECONDS) else None


def _leave() -> bool:
    """True for who had a place."""
    place = getattr(_here, "place", None)
    if place is None:
        return False
    _here.place = None
    place.release()
    return True
