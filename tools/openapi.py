"""Write docs/openapi.json, the committed copy of the document that a running product serves."""

from pathlib import Path

from flask import Flask

from onboarding.api import FAMILIES, openapi, operations

COPY = Path(__file__).parents[1] / "docs" / "openapi.json"


def made() -> str:
    """Return the document as the code generates it."""
    shell = Flask("openapi")
    shell.register_blueprint(operations.blueprint)
    assert FAMILIES, "importing them has put their endpoints behind the door"
    with shell.app_context():
        return openapi.text(openapi.described())


def main() -> None:
    COPY.write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
