"""The approval by a Slack admin that a customer waits for, and who may see its link."""

from dataclasses import dataclass, field
from datetime import datetime

from onboarding.store import links
from onboarding.store.connect_sessions import SessionRow
from onboarding.store.database import Rows
from onboarding.store.link_terms import LinkKind
from onboarding.store.links import LinkRow


@dataclass(frozen=True)
class WaitingApproval:
    """A link that an admin has not used yet."""

    #: None for people who must not get the link.
    link_id: str | None = field(repr=False)
    expires_at: datetime


def waiting(rows: Rows, row: SessionRow, at: datetime) -> WaitingApproval | None:
    """Return the approval that the holder of a link or session waits for."""
    if row.kind == LinkKind.APPROVAL:
        return None
    is_own = row.approval_id is not None and row.approval_used_at is None and row.approval_revoked_at is None
    approval_id = row.approval_id if is_own else row.pending_approval_id
    approval = links.by_id(rows, approval_id) if approval_id else None
    if approval is None or approval.expires_at <= at:
        return None
    is_visible = approval.parent_id == row.id or was_started_by_holder(rows, row, approval)
    return WaitingApproval(approval.id if is_visible else None, approval.expires_at)


def was_started_by_holder(rows: Rows, row: SessionRow, approval: LinkRow | None) -> bool:
    """Return whether the approval was created from an earlier session for the same subscriber.

    Then the holder may get its link, which is a secret. The holder of another link may not, because that link may have
    been forwarded, and neither may other people of the same context.
    """
    if row.kind != LinkKind.SESSION or row.subscriber_id is None:
        return False
    if approval is None or approval.parent_id is None or approval.subscriber_id != row.subscriber_id:
        return False
    parent = links.by_id(rows, approval.parent_id)
    return parent is not None and parent.kind == LinkKind.SESSION
