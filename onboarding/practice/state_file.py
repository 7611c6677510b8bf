"""The state file: JSON, written whole, readable by its owner only, because tokens are in it."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

FORMAT = 1

_World = TypeVar("_World")


class StateFileUnreadable(Exception):
    """The file holds something else than a practice Slack. The message says which file and what to do."""


class StateFile:
    """Saves by writing a neighbour and renaming it, so that a crash leaves the old state or the new one, never half."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._saved_change = 0

    def load(self, read: Callable[[dict[str, Any]], _World]) -> _World | None:
        """What `read` makes of the saved state; None when there is no file yet."""
        try:
            saved = json.loads(self._path.read_text("utf-8"))
            if saved["format"] != FORMAT:
                raise ValueError
            return read(saved["world"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            message = (
                f"{self._path} does not hold a practice Slack that this version can read. Delete it to start again."
            )
            raise StateFileUnreadable(message) from None

    def save(self, change: int, snapshot: Callable[[], tuple[int, dict[str, Any]]]) -> None:
        """Returns when change number `change` is in the file. One write covers all changes that waited for the one before.

        `snapshot` gives the number of the newest change, and the slack with it.
        """
        with self._lock:
            if self._saved_change >= change:
                return
            newest, slack = snapshot()
            self._write(json.dumps({"format": FORMAT, "world": slack}))
            self._saved_change = newest

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file with mode 0600, before anything is in it.
        handle, neighbour = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(neighbour).replace(self._path)
        except BaseException:
            Path(neighbour).unlink()
            raise
