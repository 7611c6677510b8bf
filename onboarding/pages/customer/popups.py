"""Remember which page opened a link in a popup, so that the popup's last page can send that page a message."""

from flask import request, session

from onboarding.runtime import current

_OPENERS = "openers"
_MAX_KEPT = 10


def note_opener(link_id: str) -> str | None:
    """Remember in the session the origin that the query names, and return it, if it is allowed. Forget it otherwise."""
    origin = request.args.get("opener", "")
    kept = {one: other for one, other in _openers().items() if one != link_id}
    if _is_allowed(link_id, origin):
        kept[link_id] = origin
    if kept != _openers():
        session[_OPENERS] = dict(list(kept.items())[-_MAX_KEPT:])
    return kept.get(link_id)


def opener_of(link_id: str | None) -> str | None:
    """Return the origin of the page that opened this browser's popup for a link, if it still is allowed."""
    origin = _openers().get(link_id or "", "")
    return origin if link_id and _is_allowed(link_id, origin) else None


def _openers() -> dict[str, str]:
    found: dict[str, str] = session.get(_OPENERS, {})
    return found


def _is_allowed(link_id: str, origin: str) -> bool:
    """Return whether a page of this origin may open the link in a popup.

    The card and the playground are pages of this server itself.
    """
    if not origin:
        return False
    return origin == current().settings.origin or origin in current().connect_sessions.embedding(link_id).origins
