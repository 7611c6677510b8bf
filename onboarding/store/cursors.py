"""Cursors: positions in a list, encoded as text that clients send to get another page."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from onboarding.errors import Refused

#: One value by which rows are ordered.
Key = datetime | str


@dataclass(frozen=True, slots=True)
class Position:
    """The values and the id by which a row is ordered. The row itself may have been deleted."""

    keys: tuple[Key, ...]
    row_id: str
    #: Whether the page includes the row at this position.
    inclusive: bool = False


def cursor(list_key: str, position: Position | None) -> str | None:
    """Encode a position for clients."""
    if position is None:
        return None
    keys = [key.isoformat() if isinstance(key, datetime) else key for key in position.keys]
    text = json.dumps([*keys, position.row_id, position.inclusive], separators=(",", ":"))
    return base64.urlsafe_b64encode(f"{_checksum(list_key, text)}|{text}".encode()).decode().rstrip("=")


def read_cursor(list_key: str, encoded: str | None, field: str, kinds: tuple[type[Key], ...]) -> Position | None:
    """Decode a cursor. Raises Refused (`cursor_unknown`) for one that is invalid, or of another list or order."""
    if encoded is None:
        return None
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        checksum, _, text = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        *keys, row_id, inclusive = json.loads(text)
        read = tuple(_read_key(key, kind) for key, kind in zip(keys, kinds, strict=True))
        position = Position(read, _read_text(row_id), inclusive is True)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        checksum, text, position = "", "", None
    if position is None or checksum != _checksum(list_key, text):
        raise Refused("This cursor is unknown. Start from the beginning of the list.", field, "cursor_unknown")
    return position


def _read_key(key: object, kind: type[Key]) -> Key:
    """Return a value of a cursor's position. Raises ValueError, OverflowError."""
    text = _read_text(key)
    return text if kind is str else datetime.fromisoformat(text).astimezone(UTC)


def _read_text(value: object) -> str:
    """Return the text. Raises ValueError for a value that no row can contain."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("No row can contain this text.")
    value.encode()
    return value


def _checksum(list_key: str, text: str) -> str:
    """Bind a cursor to its list and detect a truncated one. It is no secret: a position gives no access to a list."""
    return hashlib.sha256(f"{list_key}|{text}".encode()).hexdigest()[:16]
