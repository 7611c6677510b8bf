"""A practice Slack: a small Flask app that answers an install as Slack does. It imports nothing of the product."""

from pathlib import Path

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from onboarding.practice import consent, control, guard, home, sign_in, web_api
from onboarding.practice.current import EXTENSION
from onboarding.practice.registration import PracticeApp
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.state_file import StateFileUnreadable

__all__ = ["PracticeApp", "PracticeSlack", "StateFileUnreadable", "create_practice"]

MAX_BODY_BYTES = 1_000_000
#: Heading and sentence of the page of a status. The others have Werkzeug's name and the description that the view
#: passed.
_PROBLEMS = {
    404: ("Page not found", "The practice Slack has no page at this address."),
    405: ("This page can’t be opened this way", "Go back and use the button there."),
}


def create_practice(state: PracticeSlack, templates: Path, static: Path) -> Flask:
    """Create a WSGI app for `state`. It can run alone or be mounted below a path prefix.

    `templates` and `static` are the folders that contain `practice/` and `css/practice.css`. The state is
    `app.extensions["practice_state"]`.
    """
    app = guard.App(__name__, template_folder=templates, static_folder=static, static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Only Flask's default JSON provider has this attribute.
    app.extensions[EXTENSION] = state
    guard.register(app)
    for part in (consent, sign_in, web_api, home, control):
        app.register_blueprint(part.blueprint)
    app.register_error_handler(HTTPException, _problem)
    return app


def _problem(problem: HTTPException) -> tuple[str, int]:
    heading, sentence = _PROBLEMS.get(problem.code or 500, (problem.name, problem.description))
    return render_template("practice/problem.html", heading=heading, sentence=sentence), problem.code or 500
