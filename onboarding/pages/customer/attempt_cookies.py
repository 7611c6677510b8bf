"""Bind attempts to this browser: one cookie each, so that tabs do not disturb each other."""

from datetime import timedelta

from flask import Response, request, session

from onboarding.runtime import current

_NAME = "attempt_"
_OPENED_LINKS = "opened_links"
_MAX_KEPT = 10
#: How long the cookie lasts: the 10 minutes that a person may spend in Slack, and then the time in which its page is
#: opened again. A page that waits for an admin is opened days later.
_FOR_RESULT, _FOR_APPROVAL = timedelta(hours=24, minutes=10), timedelta(days=7, minutes=10)


def bindings() -> dict[str, str]:
    """Return this browser's secrets by the first eight characters of their attempts' random part."""
    prefix = _prefix()
    return {name.removeprefix(prefix): value for name, value in request.cookies.items() if name.startswith(prefix)}


def binding(attempt_id: str) -> str | None:
    """Return this browser's secret for an attempt, None if it has none."""
    return bindings().get(_short(attempt_id))


def keep(response: Response, attempt_id: str, secret: str, is_approval: bool = False) -> None:
    """Set an attempt's cookie and delete the oldest ones: servers limit the size of a request's headers."""
    prefix, secure = _prefix(), current().settings.is_https
    for old in list(bindings())[: -(_MAX_KEPT - 1)]:
        response.delete_cookie(prefix + old, secure=secure, httponly=True, samesite="Lax")
    response.set_cookie(
        prefix + _short(attempt_id),
        secret,
        max_age=_FOR_APPROVAL if is_approval else _FOR_RESULT,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def note_opened_link(link_id: str) -> None:
    """Remember in the session that this browser opened a link, so it may see which customer the link is for."""
    others = [one for one in opened_links() if one != link_id]
    session[_OPENED_LINKS] = [*others, link_id][-_MAX_KEPT:]


def opened_links() -> list[str]:
    """Return the ids of the links that this browser opened last."""
    found: list[str] = session.get(_OPENED_LINKS, [])
    return found


def _prefix() -> str:
    return f"__Host-{_NAME}" if current().settings.is_https else _NAME


def _short(attempt_id: str) -> str:
    """Return what follows the id's prefix of four characters, shortened for the cookie's name."""
    return attempt_id[4:12]
