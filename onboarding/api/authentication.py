"""Authentication of API callers.

`Authorization: ApiKey …` gives a request one environment and its scopes. `Authorization: Bearer <session token>` lets
the holder of a link or connect session read that one session.
"""

import re

from flask import Flask, current_app, g, request

from onboarding.callers import ApiCaller
from onboarding.errors import LinkProblem, Problem
from onboarding.http.route_access import allows_session_tokens, is_for_api_keys
from onboarding.runtime import current
from onboarding.services.api_keys import PREFIX

_SCHEMES = ("apikey", "bearer")
#: How the tokens of connect sessions and of links begin.
_SESSION_TOKENS = ("cs_", "lnk_")
#: A scheme before credentials (RFC 9110, section 11.1). Without credentials, the text may be a key without its scheme.
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


def has_session_token() -> bool:
    """Return whether the caller sent a session token, valid or not, to a view that accepts one."""
    return bool(g.get("has_session_token", False))


def token_session_id() -> str | None:
    """Return the id in the caller's session token; None for a caller with an API key."""
    found: str | None = g.get("token_session_id")
    return found


def require_scope(scope: str) -> None:
    """Check that the caller's key has the scope. Raises Forbidden."""
    if scope not in caller().scopes:
        raise Forbidden(f"This API key lacks the scope {scope}")


def _authenticate() -> None:
    """Find the caller before each view that requires an API key. Raises Unauthorized."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or not is_for_api_keys(view):
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
    if allows_session_tokens(view) and key.strip().startswith(_SESSION_TOKENS):
        _read_session_token(key.strip())
        return
    found = current().api_keys.authenticate(key.strip())
    if found is None:
        raise Unauthorized("API Key not found")
    g.caller = found


def _read_session_token(token: str) -> None:
    """Store the link or connect session of a token in `g`. Raises Unauthorized if the token's signature is invalid."""
    g.has_session_token = True
    try:
        g.token_session_id = current().links.read(token)
    except LinkProblem:
        raise Unauthorized("Session token not found", "session_token_unknown") from None
