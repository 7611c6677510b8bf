"""Check whether a link can still be used, to start an install in a browser or to complete one that waits."""

from datetime import datetime

from onboarding.outcomes import Outcome
from onboarding.services.installs import rights
from onboarding.services.installs.bindings import BindingOf, is_bound
from onboarding.store import attempts, connections
from onboarding.store.database import Rows
from onboarding.store.installs import AttemptRows
from onboarding.store.links import LinkRow, ParentRow


def refusal(
    rows: Rows, link: LinkRow, parent: ParentRow | None, binding_of: BindingOf | None, at: datetime
) -> Outcome | None:
    """Return why the link cannot start an install; None if it can. `parent`: the link that an approval came from."""
    is_revoked = any(one.revoked_at is not None for one in (link, parent) if one is not None)
    if is_revoked or rights.is_link_ended(rows, link, parent):
        return Outcome.LINK_REVOKED
    # Somebody has connected with the link that this approval was created from.
    if parent is not None and parent.used_by_attempt != link.used_by_attempt:
        return Outcome.LINK_USED
    if link.used_at is not None and not _used_by_this_browser(rows, link, binding_of):
        return Outcome.LINK_USED
    return Outcome.LINK_EXPIRED if link.expires_at <= at else None


def used_by(link: LinkRow, parent: ParentRow | None) -> str | None:
    """Return the id of the attempt that used the link; if another attempt used its parent, return that one's."""
    if parent is not None and parent.used_by_attempt != link.used_by_attempt:
        return parent.used_by_attempt
    return link.used_by_attempt


def outcome_if_ended(rows: Rows, found: AttemptRows) -> Outcome | None:
    """Return how a waiting attempt must end because its link was revoked or used; None if it may continue.

    If another attempt has used the link, this one can only complete with the workspace that the other one connected.
    """
    links: tuple[LinkRow | ParentRow | None, ...] = (found.parent, found.link)
    for link in links:
        if link is None:
            continue
        if link.revoked_at is not None:
            return Outcome.LINK_REVOKED
        if link.used_at is None or link.used_by_attempt is None or link.used_at <= found.attempt.created_at:
            continue
        used_by = attempts.by_id(rows, link.used_by_attempt)
        if link.is_open or used_by is None or used_by.workspace_id != found.attempt.workspace_id:
            return Outcome.LINK_USED
    return None


def _used_by_this_browser(rows: Rows, link: LinkRow, binding_of: BindingOf | None) -> bool:
    """Return whether this browser used the link and may renew the connection. An open link renews nothing."""
    if binding_of is None or link.used_by_attempt is None or link.is_open:
        return False
    used_by = attempts.by_id(rows, link.used_by_attempt)
    if used_by is None or not is_bound(used_by, binding_of(used_by.id)):
        return False
    # After a disconnect there is nothing to renew.
    identifier = used_by.connection_identifier
    return identifier is not None and connections.has_identifier(rows, link.environment_id, identifier)
