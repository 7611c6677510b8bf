"""Compile the catalogs of translations for wheel and source distribution. Hatchling runs it; see pyproject.toml."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogsHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling passes them by name
        for source in Path(self.root, "translations").glob("*/LC_MESSAGES/*.po"):
            with source.open("rb") as opened, source.with_suffix(".mo").open("wb") as written:
                write_mo(written, read_po(opened, locale=source.parts[-3]))
