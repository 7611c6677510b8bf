"""Give every template its filters and variables."""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask

from onboarding import texts
from onboarding.errors import StorageProblem
from onboarding.http import operator_guard
from onboarding.pages.filters import FILTERS
from onboarding.runtime import current
from onboarding.services.operators import Person


@dataclass(frozen=True)
class Product:
    """The product that a page names: the one whose Slack app the page is about."""

    name: str = "Slack Connect"


def register(app: Flask) -> None:
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["status_texts"] = texts.STATUSES
    icon = getattr(app.jinja_env.get_template("parts/_icons.html").module, "icon")  # noqa: B009  # mypy knows no macros
    app.jinja_env.globals["icon"] = cache(icon)
    app.context_processor(_variables)


def _variables() -> dict[str, object]:
    person: Person | None = None
    is_practice_on = current().settings.practice_possible
    try:
        person = operator_guard.signed_in_person()
        is_practice_on = is_practice_on and current().practice.is_on()
    except StorageProblem:
        # The page for this problem is rendered without the database.
        person = None
    return {"product": Product(), "person": person, "practice_mode": is_practice_on, "flask": _FLASK}


def _flask() -> str:
    """Return the command as a shell in this folder finds it: a virtual environment's is not on its PATH."""
    program = Path(sys.prefix, "bin", "flask")
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "flask"


_FLASK = _flask()
