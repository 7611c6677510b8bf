"""Require a signed-in operator for each view that `route_access` does not open to others."""

from flask import Flask, abort, current_app, g, request, session

from onboarding.http import route_access
from onboarding.http.sign_in_page import render_sign_in
from onboarding.runtime import current
from onboarding.services.sign_ins import Person

_SESSION_KEY = "sign_in"
_STATIC = "static"


def signed_in_person() -> Person | None:
    """Return the person who is signed in, looked up at most once per request."""
    if "person" not in g:
        g.person = current().sign_ins.signed_in(session.get(_SESSION_KEY))
    found: Person | None = g.person
    return found


def current_editor() -> Person | None:
    """Return the person who is signed in if they may make changes."""
    person = signed_in_person()
    return person if person is not None and person.may_change else None


def require_person() -> Person:
    """Return the person who is signed in. Aborts with 401 if there is none."""
    found = signed_in_person()
    if found is None:
        abort(401)
    return found


def start_session(session_token: str) -> None:
    """Sign the browser in: replace its session, so that nothing from before the sign-in stays in it."""
    session.clear()
    session.permanent = True
    session[_SESSION_KEY] = session_token


def end_session() -> None:
    """Sign the browser out, and end its session on the server."""
    token = session.get(_SESSION_KEY)
    session.clear()
    if token:
        current().sign_ins.sign_out(token)


def register(app: Flask) -> None:
    app.before_request(_check_access)


def _check_access() -> tuple[str, int] | None:
    """Refuse the request if its view is not open to this caller: 401 without a sign-in, 403 for a viewer.

    `api/authentication.py` checks the callers of views that require an API key.
    """
    if request.endpoint in (None, _STATIC):
        return None
    view = current_app.view_functions[request.endpoint]
    if route_access.is_public(view) or route_access.is_for_api_keys(view):
        return None
    person = signed_in_person()
    if person is None:
        return render_sign_in("console/operators/needed.html"), 401
    if not person.may_change and not route_access.allows_viewers(view):
        abort(403)
    return None
