"""Refuse invalid host names and, in practice mode, those of other computers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request
from werkzeug.wrappers import Response

from onboarding.http.api_requests import is_api_request
from onboarding.http.route_access import View
from onboarding.runtime import current

#: The key in the WSGI environment of a request whose `Host` header is not a valid host name.
BAD_HOST = "onboarding.bad_host"
_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")
#: Views that answer under every host name.
_ANY_HOST: set[Callable[..., Any]] = set()


def allow_any_host(view: View) -> View:
    """Mark a view that answers under every host name, such as a probe that a load balancer calls by address."""
    _ANY_HOST.add(view)
    return view


def register(app: Flask) -> None:
    app.before_request(_check_host)


def _check_host() -> Response | None:
    """Refuse an invalid host name with 400 and, in practice mode, another computer's with 421.

    A foreign name that resolves to this computer is DNS rebinding. `localhost` is redirected to the host of
    `PUBLIC_URL`, because cookies do not cross host names. The API answers at `localhost` as well: it has no cookies,
    and HTTP clients drop their `Authorization` header when they follow a redirect to another host.
    """
    if BAD_HOST in request.environ:
        abort(400)
    settings = current().settings
    if not settings.practice_possible or _allows_any_host():
        return None
    name = _host_name()
    # The second condition queries the database, so it comes last.
    if name == urlsplit(settings.origin).hostname or not current().practice.is_on():
        return None
    if name == "localhost" and request.method == "GET" and not is_api_request():
        return redirect(f"{settings.origin}{request.full_path.rstrip('?')}")
    if name not in _LOOPBACK_NAMES:
        abort(421)
    return None


def _allows_any_host() -> bool:
    return request.endpoint is not None and current_app.view_functions[request.endpoint] in _ANY_HOST


def _host_name() -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        # The Host header contains no valid name.
        return ""
