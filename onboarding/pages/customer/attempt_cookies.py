"""The cookies that bind attempts to this browser: one for each, so that tabs do not disturb each other."""

from flask import Response, request

from onboarding.runtime import current

_NAME = "attempt_"
_KEPT = 10
_LIFETIME_SECONDS = 24 * 3600 + 600


def bindings() -> dict[str, str]:
    """The browser's secrets, by the eight characters that name an attempt."""
    prefix = _prefix()
    return {name.removeprefix(prefix): value for name, value in request.cookies.items() if name.startswith(prefix)}


def binding(attempt_id: str) -> str | None:
    return bindings().get(attempt_id[4:12])


def keep(response: Response, attempt_id: str, secret: str) -> None:
    """Sets the attempt's cookie and lets the oldest go: a request's header has a limit."""
    prefix, secure = _prefix(), current().settings.is_https
    for old in list(bindings())[: -(_KEPT - 1)]:
        response.delete_cookie(prefix + old, secure=secure, httponly=True, samesite="Lax")
    response.set_cookie(
        prefix + attempt_id[4:12], secret, max_age=_LIFETIME_SECONDS, secure=secure, httponly=True, samesite="Lax"
    )


def _prefix() -> str:
    return f"__Host-{_NAME}" if current().settings.is_https else _NAME
