"""Read which environment the console shows, and keep it in the addresses of the console's pages."""

from typing import Any

from flask import Flask, abort, current_app, g, request, url_for

from onboarding.errors import NotFound, NotSetUp
from onboarding.http import route_access
from onboarding.http.operator_guard import signed_in_person
from onboarding.runtime import current
from onboarding.services.environments import EnvironmentSummary
from onboarding.services.integrations.records import IntegrationRecord

_STATIC = "static"
_REFERENCE = "openapi.docs"
#: The query parameter that names an environment other than the first. It is in the address and not in the session, so
#: that two tabs can show two environments, and a form changes the environment that its page shows.
_PARAMETER = "environment"


def register(app: Flask) -> None:
    app.before_request(_read_environment)
    app.url_defaults(_keep_environment)


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


def require_integrations() -> tuple[IntegrationRecord, ...]:
    """Return the integrations of the environment that the console shows. Raises NotFound while there is none."""
    found = integrations()
    if not found:
        raise NotFound("There is no Slack app yet. Add one under Integrations.")
    return found


def console_url(environment_id: str, endpoint: str, **values: Any) -> str:
    """Return the address of a console page that shows this environment. Raises NotFound."""
    found = current().environments.by_id(environment_id)
    is_first = found.id == current().environments.first().id
    return url_for(endpoint, **values, environment=None if is_first else found.name)


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
