"""A practice Slack: a small Flask app that behaves like Slack where an install touches it. Imports nothing of ours."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from onboarding.practice import consent, control, guard, home, web_api
from onboarding.practice.registration import Apps, PracticeApp
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.state_file import StateFileUnreadable
from onboarding.practice.workspaces import WORKSPACES, Workspace

__all__ = ["PracticeApp", "PracticeSlack", "StateFileUnreadable", "create_practice"]

LARGEST_BODY_BYTES = 1_000_000


def create_practice(
    *,
    apps: Apps,
    templates: Path,
    static: Path,
    state_file: Path | None = None,
    events_url: str | None = None,
    workspaces: Sequence[Workspace] = WORKSPACES,
    now: Callable[[], float] = time.time,
) -> Flask:
    """A WSGI app, to be mounted below a prefix or run alone; its state is `app.extensions["practice_state"]`.

    `apps` finds an app's registration by client id, each time anew. `templates` and `static` are the folders that hold
    `practice/` and `css/practice.css`. Without `state_file` the state ends with the process; without `events_url` nobody
    is told of an uninstall. StateFileUnreadable: the file holds something else.
    """
    app = Flask(__name__, template_folder=templates, static_folder=static, static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Only the default provider has it, and it is the default.
    app.extensions["practice_state"] = PracticeSlack(
        apps=apps, state_file=state_file, events_url=events_url, workspaces=workspaces, now=now
    )
    guard.register(app)
    for part in (consent, web_api, home, control):
        app.register_blueprint(part.blueprint)
    app.register_error_handler(HTTPException, _problem)
    return app


def _problem(problem: HTTPException) -> tuple[str, int]:
    return render_template("practice/problem.html", problem=problem), problem.code or 500
