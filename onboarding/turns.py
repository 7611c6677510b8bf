"""Whose turn it is: how many requests of this process work at once.

Its threads are many, since installs wait on Slack for seconds and hold one each. Those that work share one interpreter, and
the more of them there are the longer they fight for it. So few work, first come, first served, and who waits for somebody
else steps aside.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

#: One would do for what Python does; the others are for those that wait for the disk or the database.
PLACES = 3
#: Nobody waits longer. A database that has stopped answering must not keep out who does not need it.
_LONGEST_WAIT_SECONDS = 1.0

_guard = threading.Lock()
_free = PLACES
_waiting: deque[threading.Lock] = deque()
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
    global _free
    with _guard:
        if _free:
            _free -= 1
            _here.has_place = True
            return
        mine = threading.Lock()
        mine.acquire()
        _waiting.append(mine)
    _here.has_place = mine.acquire(timeout=_LONGEST_WAIT_SECONDS) or not _gives_up(mine)


def _gives_up(mine: threading.Lock) -> bool:
    """False where a place came at the last moment."""
    with _guard:
        if mine not in _waiting:
            return False
        _waiting.remove(mine)
        return True


def _leave() -> bool:
    """To who has waited longest. True for who had a place."""
    global _free
    if not getattr(_here, "has_place", False):
        return False
    _here.has_place = False
    with _guard:
        if _waiting:
            _waiting.popleft().release()
        else:
            _free += 1
    return True
