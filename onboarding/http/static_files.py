"""Add a fingerprint of the content to the addresses of static files, so that browsers may keep the files for a year."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request
from werkzeug.security import safe_join

_ENDPOINT = "static"
#: The query parameter of the fingerprint.
_PARAMETER = "v"


def register(app: Flask) -> None:
    app.url_defaults(_add_fingerprint)


def is_current() -> bool:
    """Return whether the request's address has the fingerprint of the file that this process serves.

    During an update, a page of another version may ask for other content at this address. Browsers must not keep this
    file for it.
    """
    given, name = request.args.get(_PARAMETER), (request.view_args or {}).get("filename")
    return given is not None and name is not None and given == _fingerprint(current_app.static_folder or "", name)


def _add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == _ENDPOINT and (found := _fingerprint(current_app.static_folder or "", values["filename"])):
        values.setdefault(_PARAMETER, found)


@cache
def _fingerprint(folder: str, name: str) -> str | None:
    """Return the beginning of the file's SHA-256, read once in a process. None if there is no such file."""
    path = safe_join(folder, name)
    if path is None or not Path(path).is_file():
        return None
    return sha256(Path(path).read_bytes()).hexdigest()[:16]
