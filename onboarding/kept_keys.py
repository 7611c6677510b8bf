"""Generate and decode keys, read secrets from files, and keep the keys of practice mode in the instance folder."""

import base64
import binascii
import os
import secrets
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from onboarding.characters import trim
from onboarding.errors import SettingsProblem


def generate_key() -> str:
    """Return 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def kept_keys(names: Iterable[str], instance: Path) -> dict[str, str]:
    """Return keys that are generated once and stored in the instance folder, readable by the owner only."""
    return {name: _kept(instance / name) for name in names}


def _kept(path: Path) -> str:
    name = path.name.upper()
    try:
        if not path.exists():
            _make_key(path)
    except OSError as fault:
        raise SettingsProblem(
            f"INSTANCE must be a folder that this program can write to: {path}: {fault.strerror}."
        ) from None
    try:
        kept = _stripped(path)
    except (OSError, UnicodeDecodeError):
        raise SettingsProblem(
            f"{name} must be readable as text in {path}. Check that file and its permissions."
        ) from None
    if not kept:
        raise SettingsProblem(f"{name} is empty in {path}. Remove that file, and a new key is generated.")
    return kept


def _make_key(path: Path) -> None:
    """Create the key file atomically. Processes that start at the same time get the same key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp creates an empty file with mode 0600.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(generate_key())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            _name(temporary, path)
    finally:
        Path(temporary).unlink()


def _name(temporary: str, path: Path) -> None:
    """Give the file its final name. Raises FileExistsError if another process was first."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no hard links.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(Path(temporary).read_text(encoding="ascii"))


def read_secret(name: str, path: Path) -> str:
    """Return the content of the file that `<name>_FILE` names, trimmed. Raises SettingsProblem."""
    try:
        return _stripped(path)
    except (OSError, UnicodeDecodeError):
        raise SettingsProblem(f"{name}_FILE must name a file that this program can read, not {path}.") from None


def _stripped(path: Path) -> str:
    return trim(path.read_text(encoding="utf-8"))


def decode_key(text: str) -> bytes:
    """Return the bytes of a key in URL-safe base64; empty if it is not base64."""
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
