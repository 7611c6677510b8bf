"""Pages for what goes wrong outside an install: one page, one table of words."""

import structlog
from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from onboarding.errors import NotFound, Refused, StorageProblem

_LOG = structlog.get_logger(__name__)
_WORDS = {
    400: ("This request cannot be read", "Something in it is not in order. Go back and try again."),
    401: ("Please sign in", "This page is for operators."),
    403: (
        "Only operators change things",
        "You are signed in as a viewer, who may look at everything. Ask an operator.",
    ),
    404: ("There is nothing here", "The address may have been cut short, or what it named is gone."),
    405: ("This address works differently", "Go back and use the page's own button."),
    413: ("That is too much at once", "Send less: a form here takes at most 100 kB."),
    421: ("This name is not served here", "In practice mode only this computer's own names are answered."),
    500: ("Something went wrong on our side", "It was noted. Nothing was changed. Try again in a moment."),
    503: ("We cannot answer just now", "The database did not answer. Nothing was changed. Try again in a moment."),
}
_FORGED = (
    "This page was open in an old session, or its form came from elsewhere. Nothing was changed. Go back and try again."
)


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotFound, lambda problem: _page(404, problem.sentence))
    app.register_error_handler(Refused, lambda problem: _page(400, problem.sentence))
    app.register_error_handler(StorageProblem, _storage)


def _csrf(_problem: CSRFError) -> ResponseReturnValue:
    """A start page holds nothing to lose, so it is shown anew; anything else says what to do."""
    if request.endpoint in ("connect.start_submit", "installs.start_submit"):
        return redirect(request.path, 303)
    return _page(400, _FORGED)


def _http(problem: HTTPException) -> ResponseReturnValue:
    page, status = _page(problem.code or 500)
    # What belongs to the status goes with it: 405 has its Allow.
    kept = [(name, value) for name, value in problem.get_headers() if name == "Allow"]
    return page, status, kept


def _storage(problem: StorageProblem) -> tuple[str, int]:
    # The page, without what its address names: a link or a sign-in works for whoever reads it in a log.
    _LOG.error("page.database_gone", page=str(request.url_rule), problem=problem.sentence)
    return _page(503)


def _page(status: int, sentence: str = "") -> tuple[str, int]:
    title, words = _WORDS.get(status, _WORDS[400 if status < 500 else 500])
    page = render_template(
        "problems/problem.html",
        status=status,
        title=title,
        sentence=sentence or words,
        way_on_url=url_for("home.index"),
        way_on_label="Go to the start",
    )
    return page, status
