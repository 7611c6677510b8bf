"""Catalogs of translations: collect the texts of customers' pages, update the catalogs with them, and compile these.

`make translations` updates `translations/*/LC_MESSAGES/messages.po`. Each text is marked with `_()` in a template or
with `marked()` in a module, or is in one of the tables below.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from onboarding import texts
from onboarding.slack import scopes

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "translations"
_METHODS = {"onboarding": ("python", {"marked": None}), "templates": ("jinja2", {"_": None})}
_WIDTH = 140


def main() -> None:
    found = collect()
    for file in files():
        catalog = read(file)
        found.creation_date = catalog.creation_date
        catalog.update(found, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        with file.open("wb") as written:
            write_po(written, catalog, width=_WIDTH, no_location=True, sort_output=True)


def files() -> list[Path]:
    return sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))


def read(file: Path) -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parts[-3])


def collect() -> Catalog:
    """Return all texts that a customer may read, in English."""
    catalog = Catalog(project="Onboarding for Slack", charset="utf-8")
    for text in (*_marked(), *_of_tables()):
        catalog.add(text)
    return catalog


def compile_changed() -> None:
    """Compile the catalogs that are newer than their compiled files. Several processes may do so at once."""
    for file in files():
        compiled = file.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= file.stat().st_mtime:
            continue
        written = compiled.with_suffix(f".{os.getpid()}")
        with written.open("wb") as opened:
            write_mo(opened, read(file))
        written.replace(compiled)


def _marked() -> Iterator[str]:
    for folder, (method, keywords) in _METHODS.items():
        suffix = "py" if method == "python" else "*"
        found = extract_from_dir(
            str(ROOT / folder), [(f"**.{suffix}", method)], keywords=keywords, options_map={"**": {"encoding": "utf-8"}}
        )
        for _name, _line, message, _comments, _context in found:
            yield str(message)


def _of_tables() -> Iterator[str]:
    yield from (*scopes.SENTENCES.values(), scopes.OTHER)
    for status in texts.CUSTOMER_STATUSES.values():
        yield from (status.label, status.sentence)
    for result in texts.DISCONNECTED.values():
        yield from (result.sentence, result.detail)


if __name__ == "__main__":
    main()
