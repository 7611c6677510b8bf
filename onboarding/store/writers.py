"""Who writes next to a SQLite file: first come, first served, among the threads and processes of this machine.

SQLite lets one writer in at a time. Whoever finds it busy sleeps longer each time, up to a tenth of a second, and is overtaken
by those who come just then.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from onboarding import turns
from onboarding.errors import StorageProblem

_LONGEST_WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.0003


class Writers:
    """One process's side of the queue. The locks are the operating system's: they go with whoever holds them."""

    def __init__(self, database_file: str) -> None:
        self._threads = turns.Line(1)
        self._opening = threading.Lock()
        self._path = database_file
        self._files: tuple[int, int] | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises StorageProblem when it takes too long."""
        next_, writing = self._opened()
        if not self._enters_at_once(next_, writing):
            with turns.aside():
                self._wait(next_, writing)
        try:
            yield
        finally:
            fcntl.flock(writing, fcntl.LOCK_UN)
            self._threads.leave()

    def _enters_at_once(self, next_: int, writing: int) -> bool:
        if not self._threads.take(0):
            return False
        if _is_locked(next_):
            enters = _is_locked(writing)
            fcntl.flock(next_, fcntl.LOCK_UN)
            if enters:
                return True
        self._threads.leave()
        return False

    def _wait(self, next_: int, writing: int) -> None:
        """Through two doors: who stands in the first is the next to write, and who has just written queues before it."""
        end = time.monotonic() + _LONGEST_WAIT_SECONDS
        if not self._threads.take(_LONGEST_WAIT_SECONDS):
            raise StorageProblem("The database is busy.")
        try:
            _lock(next_, end)
            try:
                _lock(writing, end)
            finally:
                fcntl.flock(next_, fcntl.LOCK_UN)
        except BaseException:
            self._threads.leave()
            raise

    def _opened(self) -> tuple[int, int]:
        with self._opening:
            if self._files is None:
                try:
                    self._files = _open(f"{self._path}-next"), _open(f"{self._path}-writing")
                except OSError as fault:
                    raise StorageProblem("The database's folder cannot be written to.") from fault
            return self._files

    def close(self) -> None:
        for file in self._files or ():
            os.close(file)
        self._files = None


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: int, end: float) -> None:
    while not _is_locked(file):
        if time.monotonic() > end:
            raise StorageProblem("The database is busy.")
        time.sleep(_LOOK_SECONDS)


def _is_locked(file: int) -> bool:
    """By us, from now on. False where it is another's."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
