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
        self._threads = threading.Lock()
        self._path = database_file
        self._files: tuple[int, int] | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises StorageProblem when it takes too long."""
        if not self._threads.acquire(blocking=False):
            with turns.aside():
                if not self._threads.acquire(timeout=_LONGEST_WAIT_SECONDS):
                    raise StorageProblem("The database is busy.")
        try:
            writing = self._among_processes()
            try:
                yield
            finally:
                fcntl.flock(writing, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _among_processes(self) -> int:
        """Through two doors: who stands in the first is the next to write, and who has just written has to queue before it."""
        next_, writing = self._opened()
        end = time.monotonic() + _LONGEST_WAIT_SECONDS
        _lock(next_, end)
        try:
            _lock(writing, end)
        finally:
            fcntl.flock(next_, fcntl.LOCK_UN)
        return writing

    def _opened(self) -> tuple[int, int]:
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
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise StorageProblem("The database is busy.") from None
            time.sleep(_LOOK_SECONDS)
        else:
            return
