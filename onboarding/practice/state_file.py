"""The state file: JSON, replaced as a whole. Only its owner can read it, because it contains tokens."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

FORMAT = 1

_State = TypeVar("_State")


class StateFileUnreadable(Exception):
    """The file does not contain a practice Slack's state. The message names the file and what to do."""


class StateFile:
    """Save to a temporary file and rename it, so that a crash leaves the old or the new state."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._saved_change = 0

    def load(self, read: Callable[[dict[str, Any]], _State]) -> _State | None:
        """Return the result of `read` for the saved state; None if there is no file yet."""
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
        """Return once change number `change` is in the file. One write saves all changes that waited for it.

        `snapshot` returns the number of the newest change and the state that contains it.
        """
        with self._lock:
            if self._saved_change >= change:
                return
            newest, slack = snapshot()
            self._write(json.dumps({"format": FORMAT, "world": slack}))
            self._saved_change = newest

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp creates an empty file with mode 0600.
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink()
            raise
