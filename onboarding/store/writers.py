"""Which process writes next to an SQLite file: first come, first served, among those of this machine.

SQLite lets one writer in at a time. Whoever finds it busy sleeps longer each time, up to a tenth of a second, and is overtaken
by those who come just then.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onboarding import concurrency
from onboarding.errors import StorageProblem

_LONGEST_WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.0003


class Writers:
    """One process's side of the queue, for one thread at a time. The locks are the operating system's: they go with it."""

    def __init__(self, database_file: str) -> None:
        self._path = database_file
        self._files: list[int] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises StorageProblem when it takes too long, and where the files cannot be opened or locked."""
        for name in ("next", "writing")[len(self._files) :]:
            self._files.append(_open(f"{self._path}-{name}", self._path))
        next_, writing = self._files
        _lock(next_, writing)
        try:
            yield
        finally:
            fcntl.flock(writing, fcntl.LOCK_UN)

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


def _open(path: str, database: str) -> int:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise StorageProblem(f"{path} cannot be opened: {fault.strerror}.") from fault
    # As SQLite does with its own files beside the database: who may write to one may use the other, whoever made it.
    with suppress(FileNotFoundError, PermissionError):
        like = Path(database).stat()
        os.fchmod(file, like.st_mode & 0o666)
        os.fchown(file, like.st_uid, like.st_gid)
    return file


def _lock(next_: int, writing: int) -> None:
    """Through two doors: who stands in the first is the next to write, and who has just written queues before it."""
    end = time.monotonic() + _LONGEST_WAIT_SECONDS
    _wait_for(next_, end)
    try:
        _wait_for(writing, end)
    finally:
        fcntl.flock(next_, fcntl.LOCK_UN)


def _wait_for(file: int, end: float) -> None:
    if _is_locked(file):
        return
    with concurrency.slot_released(waits_to_come_back=False):
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
    except OSError as fault:
        raise StorageProblem(f"A file beside the database cannot be locked: {fault.strerror}.") from fault
    return True
