"""Let pages of the allowed origins read a connect session with its token (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).

They may send GET only, with the session token and never with cookies.
"""

from flask import Flask, Response, request

from onboarding.api import authentication, operations
from onboarding.errors import StorageProblem
from onboarding.runtime import current

_KEPT_SECONDS = "600"
_READABLE = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"


def register(app: Flask) -> None:
    app.after_request(_share)


def foreign_origin() -> str | None:
    """Return the origin of the other site whose page sent the request, if one did."""
    origin = request.headers.get("Origin")
    return None if origin == current().settings.origin else origin


def _share(response: Response) -> Response:
    if request.url_rule is None or request.url_rule.rule not in operations.CROSS_ORIGIN_RULES:
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or not _may_read(origin, response):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET"
        response.headers["Access-Control-Allow-Headers"] = "Authorization"
        response.headers["Access-Control-Max-Age"] = _KEPT_SECONDS
    else:
        response.headers["Access-Control-Expose-Headers"] = _READABLE
    return response


def _may_read(origin: str, response: Response) -> bool:
    """Return whether pages of the origin may read the response.

    The view has checked the origin of a request that succeeded. A preflight request or an error may belong to no
    session, so the allowed origins of all integrations may read it.
    """
    if request.method == "OPTIONS":
        return _is_listed(origin)
    if request.method != "GET" or not authentication.has_session_token() or response.status_code == 403:
        return False
    return response.status_code == 200 or _is_listed(origin)


def _is_listed(origin: str) -> bool:
    if origin == current().settings.origin:
        return True
    try:
        return current().connect_sessions.is_known_origin(origin)
    except StorageProblem:
        return False
