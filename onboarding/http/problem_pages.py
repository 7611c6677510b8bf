"""Show a page for each error outside of an install: one template, one table of texts."""

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from onboarding.errors import Conflict, NotFound, Refused, StorageProblem
from onboarding.http import languages
from onboarding.http.operator_guard import signed_in_person
from onboarding.translatable import marked

_LOG = structlog.get_logger(__name__)
#: Title and sentence by status. Other statuses have those of 400 or 500.
_TEXTS = {
    400: (marked("This request is invalid"), marked("Go back and try again.")),
    401: (marked("Please sign in"), marked("This page is for operators.")),
    403: (marked("You have view-only access"), marked("Ask an operator to make this change.")),
    404: (marked("Page not found"), marked("Check the address. The page may also have been removed.")),
    405: (marked("This page can’t be opened this way"), marked("Go back and use the button there.")),
    409: (
        marked("Something was changed at the same time"),
        marked("Nothing was saved. Go back, reload the page and try again."),
    ),
    413: (
        marked("This is too large"),
        marked("A form can send 100 kB at most. Go back and shorten your input, or choose a smaller file."),
    ),
    421: (marked("This host name is not served here"), marked("In practice mode, use 127.0.0.1 or localhost.")),
    500: (marked("Something went wrong on our side"), marked("We’ve logged the problem. Try again in a moment.")),
    503: (marked("This page is unavailable right now"), marked("Try again in a moment.")),
}


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFound, lambda problem: problem_page(404, problem.sentence))
    app.register_error_handler(Refused, lambda problem: problem_page(400, problem.sentence))
    # Views handle the conflicts that their forms can explain.
    app.register_error_handler(Conflict, lambda _problem: problem_page(409))
    app.register_error_handler(StorageProblem, _storage_unavailable)


def _http_error(problem: HTTPException) -> ResponseReturnValue:
    page, status = problem_page(problem.code or 500)
    # RFC 9110 requires `Allow` in a response with status 405.
    kept = [(name, value) for name, value in problem.get_headers() if name in ("Allow", "Retry-After")]
    return page, status, kept


def _storage_unavailable(problem: StorageProblem) -> ResponseReturnValue:
    # The route's rule is logged, because the address may contain the token of a link or a sign-in.
    _LOG.error("page.database_gone", page=str(request.url_rule), problem=problem.sentence)
    return *problem_page(503), {"Retry-After": "1"}


def problem_page(status: int, sentence: str = "") -> tuple[str, int]:
    """Render the page of an error. `sentence` replaces the default sentence of the status."""
    title, default = _TEXTS.get(status, _TEXTS[400 if status < 500 else 500])
    template = "problems/problem.html"
    if _is_signed_in():
        template = "problems/console.html"
        languages.use_english()
    page = render_template(template, status=status, title=title, sentence=sentence or default)
    return page, status


def _is_signed_in() -> bool:
    """Return whether a person is signed in. While the database is unavailable, nobody counts as signed in."""
    try:
        return signed_in_person() is not None
    except StorageProblem:
        return False
