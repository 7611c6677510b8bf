"""What every template may use."""

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
    """The name that people see: the product whose Slack app it is."""

    name: str = "Slack Connect"


def register(app: Flask) -> None:
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["status_texts"] = texts.STATUSES
    icon = getattr(app.jinja_env.get_template("parts/_icons.html").module, "icon")  # noqa: B009  # mypy knows no macros
    app.jinja_env.globals["icon"] = cache(icon)
    app.context_processor(_everywhere)


def _everywhere() -> dict[str, object]:
    viewer: Person | None = None
    practice = current().settings.practice_possible
    try:
        viewer, practice = operator_guard.signed_in_person(), practice and current().integrations.is_practice_on()
    except StorageProblem:
        # The page that says so has to come out all the same.
        viewer = None
    return {"product": Product(), "viewer": viewer, "practice_mode": practice, "flask": _FLASK}


def _flask() -> str:
    """The command as a shell in this folder finds it: a checkout's is not on its PATH."""
    program = Path(sys.prefix, "bin", "flask")
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "flask"


_FLASK = _flask()
