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


class Line:
    """So many at once, and the others in the order in which they came: a place goes to who has waited longest."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def take(self, seconds: float, *, is_first: bool = False) -> bool:
        """Waits so long at most, and not at all for 0. False: there was no place. `is_first`: before all who wait."""
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            if not seconds:
                return False
            mine = threading.Lock()
            mine.acquire()
            if is_first:
                self._waiting.appendleft(mine)
            else:
                self._waiting.append(mine)
        return mine.acquire(timeout=seconds) or not self._gives_up(mine)

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def _gives_up(self, mine: threading.Lock) -> bool:
        """False where a place came at the last moment."""
        with self._guard:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True


_line = Line(PLACES)
_here = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Waits for a place, and works on it."""
    _here.has_place = _line.take(_LONGEST_WAIT_SECONDS)
    try:
        yield
    finally:
        _leave()


@contextmanager
def aside() -> Iterator[None]:
    """While something else is waited for, somebody else may work. Of no effect where nobody has taken a turn.

    Who comes back is the next to work: others may be waiting for what was got meanwhile.
    """
    if not _leave():
        yield
        return
    try:
        yield
    finally:
        _here.has_place = _line.take(_LONGEST_WAIT_SECONDS, is_first=True)


def _leave() -> bool:
    """True for who had a place."""
    had: bool = getattr(_here, "has_place", False)
    if had:
        _here.has_place = False
        _line.leave()
    return had
