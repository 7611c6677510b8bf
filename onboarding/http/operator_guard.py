"""Who may see what. Deny by default: a view that says nothing is the operators'."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, render_template, request, session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from onboarding.errors import NotFound
from onboarding.http import route_access
from onboarding.runtime import current
from onboarding.services.operators import Person

_SESSION_KEY = "sign_in"
_STATIC = "static"


def signed_in_person() -> Person | None:
    """Who is signed in, asked once a request."""
    if "viewer" not in g:
        g.viewer = current().operators.viewer(session.get(_SESSION_KEY))
    found: Person | None = g.viewer
    return found


def current_editor() -> Person | None:
    """Who is signed in and may change things."""
    person = signed_in_person()
    return person if person is not None and person.may_change else None


def require_person() -> Person:
    """The signed-in person, in a view that only they route_access."""
    found = signed_in_person()
    if found is None:
        abort(401)
    return found


def environment_id() -> str:
    """The environment of the console."""
    try:
        return current().environments.first().id
    except NotFound as problem:
        abort(503, problem.sentence)


def remember(session_token: str) -> None:
    session.clear()
    session.permanent = True
    session[_SESSION_KEY] = session_token


def forget() -> None:
    token = session.get(_SESSION_KEY)
    session.clear()
    if token:
        current().operators.sign_out(token)


def register(app: Flask) -> None:
    app.before_request(_loopback_only)
    app.before_request(_plain_text)
    app.before_request(_signed_in)


def _loopback_only() -> Response | None:
    """In practice mode a page of another name that resolves to this machine must not reach it (DNS rebinding)."""
    settings = current().settings
    if not settings.practice_possible or request.endpoint == "probes.alive":
        return None
    name = _host_name()
    # Whether practice mode is on is asked of the database: only where the answer matters.
    if name == urlsplit(settings.origin).hostname or not current().integrations.is_practice_on():
        return None
    # A program has no cookies that another name would lose, and a client drops its key on the way to one.
    if name == "localhost" and request.method == "GET" and not _is_for_programs():
        return redirect(f"{settings.origin}{request.full_path.rstrip('?')}")
    if name not in ("127.0.0.1", "::1", "localhost"):
        abort(421)
    return None


def _host_name() -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        # What stands there is no name at all.
        return ""


def _plain_text() -> None:
    """PostgreSQL takes no NUL in text and SQLite does: neither is asked. No person's keyboard makes one."""
    if _is_for_programs():
        return
    told = (*_texts(request.args), *_texts(request.form))
    if "\0" in request.path or any("\0" in text for text in told):
        abort(400)


def _is_for_programs() -> bool:
    """Their endpoints name the field that is wrong, and who lacks a key."""
    return request.endpoint is not None and route_access.is_for_api_keys(_view())


def _is_public() -> bool:
    return request.endpoint is not None and route_access.is_public(_view())


def _view() -> Callable[..., Any]:
    return current_app.view_functions[request.endpoint or ""]


def _texts(fields: MultiDict[str, str]) -> list[str]:
    return [text for name, value in fields.items(multi=True) for text in (name, value)]


def _signed_in() -> tuple[str, int] | None:
    if request.endpoint in (None, _STATIC) or _is_for_programs() or _is_public():
        return None
    person = signed_in_person()
    if person is None:
        return render_template("console/operators/needed.html"), 401
    if not person.may_change and not route_access.allows_viewers(_view()):
        abort(403)
    return None
