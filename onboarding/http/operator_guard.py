"""Require a signed-in operator for each view that `route_access` does not open to others.

It also reads which environment the console shows.
"""

from typing import Any

from flask import Flask, abort, current_app, g, request, session, url_for

from onboarding.errors import NotSetUp
from onboarding.http import route_access
from onboarding.http.sign_in_page import render_sign_in
from onboarding.runtime import current
from onboarding.services.environments import EnvironmentSummary
from onboarding.services.integrations.records import IntegrationRecord
from onboarding.services.sign_ins import Person

_SESSION_KEY = "sign_in"
_STATIC = "static"
_REFERENCE = "openapi.docs"
#: The query parameter that names an environment other than the first. It is in the address and not in the session, so that
#: two tabs can show two environments, and a form changes the environment that its page shows.
_PARAMETER = "environment"


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


def environment() -> EnvironmentSummary:
    """Return the environment that the console shows: the one that the address names, else the first.

    Aborts with 503 before `setup` has created one.
    """
    if "environment" in g:
        shown: EnvironmentSummary = g.environment
        return shown
    try:
        return current().environments.first()
    except NotSetUp as problem:
        abort(503, problem.sentence)


def environment_id() -> str:
    """Return the id of the environment that the console shows."""
    return environment().id


def integrations() -> tuple[IntegrationRecord, ...]:
    """Return the integrations of the environment that the console shows, read at most once per request.

    Raises NotSetUp.
    """
    if "integrations" not in g:
        shown = g.get("environment") or current().environments.first()
        g.integrations = current().integrations.all_of(shown.id)
    found: tuple[IntegrationRecord, ...] = g.integrations
    return found


def console_url(environment_id: str, endpoint: str, **values: Any) -> str:
    """Return the address of a console page that shows this environment. Raises NotFound."""
    found = current().environments.by_id(environment_id)
    is_first = found.id == current().environments.first().id
    return url_for(endpoint, **values, environment=None if is_first else found.name)


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
    app.before_request(_read_environment)
    app.url_defaults(_keep_environment)


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


def _read_environment() -> None:
    """Store the environment that a console page's address names in `g`. Raises NotFound for an unknown name."""
    name = request.args.get(_PARAMETER)
    if name and is_of_console(request.endpoint) and signed_in_person() is not None:
        found = current().environments.named(name)
        if found.id != current().environments.first().id:
            g.environment = found


def _keep_environment(endpoint: str, values: dict[str, object]) -> None:
    """Add the environment to the address of each console page that the current page links to."""
    if "environment" in g and _PARAMETER not in values and is_of_console(endpoint):
        values[_PARAMETER] = environment().name


def is_of_console(endpoint: str | None) -> bool:
    """Return whether an endpoint shows one environment: a page of the console, or the API reference in its frame."""
    view = current_app.view_functions.get(endpoint or "")
    if view is None or endpoint == _STATIC:
        return False
    # The reference has the console's frame, for people who are signed in.
    return endpoint == _REFERENCE or not (route_access.is_public(view) or route_access.is_for_api_keys(view))
