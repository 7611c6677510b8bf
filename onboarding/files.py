"""Find files that are not Python: inside the package in a wheel, at the root in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    return _folder("templates")


def static() -> Path:
    return _folder("static")


def migrations() -> Path:
    return _folder("migrations")


def translations() -> Path:
    return _folder("translations")


def _folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
