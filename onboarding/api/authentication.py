"""Authentication of API callers: `Authorization: ApiKey …` gives a request one environment and its scopes."""

import re

from flask import Flask, current_app, g, request

from onboarding.callers import ApiCaller
from onboarding.errors import Problem
from onboarding.http.route_access import is_for_api_keys
from onboarding.runtime import current
from onboarding.services.api_keys import PREFIX

_SCHEMES = ("apikey", "bearer")
#: A scheme before credentials (RFC 9110, section 11.1). Without credentials, the text may be a key that lacks its scheme.
_SCHEME, _SCHEME_ALONE = re.compile(r"([A-Z][A-Z0-9-]{0,19}|[A-Za-z-]{1,20})\Z"), re.compile(r"[A-Za-z]{1,20}\Z")


class Unauthorized(Problem):
    code = "key_unknown"


class Forbidden(Problem):
    code = "scope_missing"


def register(app: Flask) -> None:
    app.before_request(_authenticate)


def caller() -> ApiCaller:
    """Return the caller of the current request, which `_authenticate` has found."""
    found: ApiCaller = g.caller
    return found


def require_scope(scope: str) -> None:
    """Raises Forbidden."""
    if scope not in caller().scopes:
        raise Forbidden(f"This API key lacks the scope {scope}")


def _authenticate() -> None:
    """Find the caller before each view that requires an API key. Raises Unauthorized."""
    if request.endpoint is None or not is_for_api_keys(current_app.view_functions[request.endpoint]):
        return
    header = request.headers.get("Authorization")
    if header is None:
        raise Unauthorized("Missing authorization header", "key_missing")
    scheme, _, key = header.strip().partition(" ")
    if scheme.lower() not in _SCHEMES:
        is_scheme = (_SCHEME if key and not scheme.startswith(PREFIX) else _SCHEME_ALONE).match(scheme)
        # Not repeated if it may be a key.
        shown = scheme if is_scheme else "…"
        raise Unauthorized(f'Invalid authentication scheme: "{shown}"', "key_scheme")
    found = current().api_keys.authenticate(key.strip())
    if found is None:
        raise Unauthorized("API Key not found")
    g.caller = found
