"""Notice that the database's file was deleted or replaced while it is open.

SQLite continues to use the file that it opened. Its writes are lost when the last connection is closed.
"""

from pathlib import Path

import structlog

from onboarding.errors import StorageProblem

_LOG = structlog.get_logger(__name__)


class FileGuard:
    """The device and inode of the file that this process opened first."""

    def __init__(self) -> None:
        self._path, self._opened = "", (0, 0)
        self._is_reported = False

    def remember(self, path: str) -> None:
        """Call after each connection to `path` is open. Only the first call has an effect."""
        if not self._path:
            self._opened, self._path = _identity(path), path

    def check(self) -> None:
        """Check that the path still leads to the file that was opened. Raises StorageProblem, and logs what to do."""
        if not self._path or _identity(self._path) == self._opened:
            self._is_reported = False
            return
        problem = StorageProblem("The database file was deleted or replaced while it was open.")
        if not self._is_reported:
            self._is_reported = True
            todo = "Stop the server, put the right file at this path, and start the server again."
            _LOG.error("database.file_changed", path=self._path, problem=problem.sentence, todo=todo)
        raise problem


def _identity(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
