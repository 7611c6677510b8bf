"""Who asks: `Authorization: ApiKey …` to one environment and its scopes; and how often they may ask."""

from math import ceil

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter

from onboarding import clock
from onboarding.errors import Problem
from onboarding.runtime import current
from onboarding.services.api_keys import Holder

_SCHEMES = ("apikey", "bearer")
_LIMITER = "api_limiter"


class Unauthorized(Problem):
    code = "key_unknown"


class Forbidden(Problem):
    code = "scope_missing"


def register(app: Flask, limit_per_second: int, storage: str) -> None:
    """`storage`: `memory://`, or a Redis that all replicas share. Who asks is known before it is counted."""
    app.before_request(_authenticate)
    app.extensions[_LIMITER] = Limiter(
        key_func=lambda: holder().key_id,
        app=app,
        strategy="moving-window",
        # One window for a key, whichever endpoints it asks; pages have no key.
        application_limits=[f"{limit_per_second} per second"],
        application_limits_exempt_when=lambda: "holder" not in g,
        storage_uri=storage,
        # A shared store that is away must not shut the door: each process counts for itself until it is back.
        in_memory_fallback_enabled=not storage.startswith("memory"),
    )


def tell_limits(response: Response) -> Response:
    """`RateLimit-*` on every answer to a key that is known."""
    now = _limiter().current_limit if "holder" in g else None
    if now is not None:
        response.headers["RateLimit-Limit"] = str(now.limit.amount)
        response.headers["RateLimit-Remaining"] = str(max(now.remaining, 0))
        response.headers["RateLimit-Reset"] = str(max(ceil(now.window.reset_time - clock.now().timestamp()), 0))
    return response


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
    """Before every endpoint behind the door. Raises Unauthorized."""
    if request.endpoint is None or not getattr(current_app.view_functions[request.endpoint], "is_keyed", False):
        return
    given = request.headers.get("Authorization")
    if given is None:
        raise Unauthorized("Missing authorization header", "key_missing")
    scheme, _, key = given.strip().partition(" ")
    if scheme.lower() not in _SCHEMES:
        raise Unauthorized(f'Invalid authentication scheme: "{scheme[:100]}"', "key_scheme")
    found = current().api_keys.holder(key.strip())
    if found is None:
        raise Unauthorized("API Key not found")
    g.holder = found


def _limiter() -> Limiter:
    found: Limiter = current_app.extensions[_LIMITER]
    return found
