"""Whose turn it is: how many requests of this process work at once.

Its threads are many, since installs wait on Slack for seconds and hold one each. Those that work share one interpreter, and
the more of them there are the longer they fight for it. So few work, first come, first served, and who waits for somebody
else steps aside.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

#: Of one web process. As many installs may wait at once, less a few.
THREADS = 64
#: One would do for what Python does; the others are for those that wait for the disk or the database.
MAX_RUNNING = 3
#: Nobody waits longer. A database that has stopped answering must not keep out who does not need it.
_LONGEST_WAIT_SECONDS = 1.0


class FairSemaphore:
    """So many at once, and the others in the order in which they came: a place goes to who has waited longest."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def take(self, seconds: float) -> bool:
        """Waits so long at most, and not at all for 0. False: there was no place."""
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            if not seconds:
                return False
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        return mine.acquire(timeout=seconds) or not self._gives_up(mine)

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def yield_to_waiters(self, most: int) -> None:
        """Who has a place lets those who wait now go first, so many at most, and comes back after them."""
        with self._guard:
            if not self._waiting:
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.insert(most, mine)
            self._waiting.popleft().release()
        mine.acquire()

    def _gives_up(self, mine: threading.Lock) -> bool:
        """False where a place came at the last moment."""
        with self._guard:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True


_line = FairSemaphore(MAX_RUNNING)
_here = threading.local()


@contextmanager
def request_slot() -> Iterator[None]:
    """Waits for a place, and works on it."""
    _here.has_place = _line.take(_LONGEST_WAIT_SECONDS)
    try:
        yield
    finally:
        _leave()


@contextmanager
def slot_released(*, waits_to_come_back: bool = True) -> Iterator[None]:
    """While something else is waited for, somebody else may work. Of no effect where nobody has taken a turn.

    Who comes back with what others are waiting for waits for no place: where there is none, it works beside the others.
    """
    if not _leave():
        yield
        return
    try:
        yield
    finally:
        _here.has_place = _line.take(_LONGEST_WAIT_SECONDS if waits_to_come_back else 0)


def _leave() -> bool:
    """True for who had a place."""
    had: bool = getattr(_here, "has_place", False)
    if had:
        _here.has_place = False
        _line.leave()
    return had
