"""Write docs/openapi.json, the committed copy of the document that the server returns, and the reference's pages."""

from pathlib import Path
from typing import Any

from flask import Flask

from onboarding.api import RESOURCES, openapi, operations
from tools import reference

COPY = Path(__file__).parents[1] / "docs" / "openapi.json"


def document() -> dict[str, Any]:
    """Return the document as the code generates it."""
    shell = Flask("openapi")
    shell.register_blueprint(operations.blueprint)
    assert RESOURCES, "importing them registers their operations"
    with shell.app_context():
        return openapi.described()


def main() -> None:
    COPY.write_text(openapi.text(document()), encoding="utf-8")
    reference.write(document())


if __name__ == "__main__":
    main()
