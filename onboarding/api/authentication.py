"""Who asks: `Authorization: ApiKey …` to one environment and its scopes."""

import re

from flask import Flask, current_app, g, request

from onboarding.errors import Problem
from onboarding.http.route_access import is_for_api_keys
from onboarding.runtime import current
from onboarding.services.api_keys import PREFIX, Holder

_SCHEMES = ("apikey", "bearer")
#: What has something behind it is a scheme (RFC 9110, 11.1); what stands alone may be a key without one.
_SCHEME, _ALONE = re.compile(r"([A-Z][A-Z0-9-]{0,19}|[A-Za-z-]{1,20})\Z"), re.compile(r"[A-Za-z]{1,20}\Z")


class Unauthorized(Problem):
    code = "key_unknown"


class Forbidden(Problem):
    code = "scope_missing"


def register(app: Flask) -> None:
    app.before_request(_authenticate)


def holder() -> Holder:
    found: Holder = g.holder
    return found


def needs(scope: str) -> None:
    """Raises Forbidden."""
    if scope not in holder().scopes:
        raise Forbidden(f"This API key lacks the scope {scope}")


def may_see_secrets() -> bool:
    return "connections:secrets" in holder().scopes


def _authenticate() -> None:
    """Before every endpoint behind the operations. Raises Unauthorized."""
    if request.endpoint is None or not is_for_api_keys(current_app.view_functions[request.endpoint]):
        return
    given = request.headers.get("Authorization")
    if given is None:
        raise Unauthorized("Missing authorization header", "key_missing")
    scheme, _, key = given.strip().partition(" ")
    if scheme.lower() not in _SCHEMES:
        is_scheme = (_SCHEME if key and not scheme.startswith(PREFIX) else _ALONE).match(scheme)
        # A key is not told again.
        named = scheme if is_scheme else "…"
        raise Unauthorized(f'Invalid authentication scheme: "{named}"', "key_scheme")
    found = current().api_keys.holder(key.strip())
    if found is None:
        raise Unauthorized("API Key not found")
    g.holder = found
