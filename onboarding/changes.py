"""Record each change as an audit entry, in the transaction that makes the change."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from onboarding import ids
from onboarding.callers import Actor
from onboarding.store import audit
from onboarding.store.database import Rows


class ChangeKind(StrEnum):
    """The kinds of changes. The values are stored in `audit_entries.action`."""

    CONNECTION_CONNECTED = "connection.connected"
    CONNECTION_RECONNECTED = "connection.reconnected"
    CONNECTION_UPDATED = "connection.updated"
    CONNECTION_DISCONNECTED = "connection.disconnected"
    CONNECTION_RENAMED = "connection.renamed"
    CONNECTION_BROKEN = "connection.broken"
    CONNECTION_HEALED = "connection.healed"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_UNREACHABLE = "connection.unreachable"
    CONNECTION_PERMISSIONS_CHANGED = "connection.permissions_changed"
    INTEGRATION_ADDED = "integration.added"
    INTEGRATION_CHANGED = "integration.changed"
    INTEGRATION_REMOVED = "integration.removed"
    PRACTICE_CLEARED = "practice.cleared"
    LINK_CREATED = "link.created"
    LINK_REVOKED = "link.revoked"
    LINK_HANDED_ON = "link.handed_on"
    GRANT_DROPPED = "grant.dropped"
    INSTALLATION_ERASED = "installation.erased"
    SUBSCRIBER_CREATED = "subscriber.created"
    SUBSCRIBER_UPDATED = "subscriber.updated"
    SUBSCRIBER_DELETED = "subscriber.deleted"
    CONTEXT_CREATED = "context.created"
    CONTEXT_UPDATED = "context.updated"
    CONTEXT_DELETED = "context.deleted"
    ENDPOINT_CREATED = "endpoint.created"
    ENDPOINT_UPDATED = "endpoint.updated"
    ENDPOINT_DELETED = "endpoint.deleted"
    OPERATOR_ADDED = "operator.added"
    OPERATOR_INVITED = "operator.invited"
    OPERATOR_ROLE_CHANGED = "operator.role_changed"
    OPERATOR_REMOVED = "operator.removed"
    OPERATOR_SIGNED_OUT = "operator.signed_out"
    TEAM_ALLOWED = "team.allowed"
    TEAM_REMOVED = "team.removed"
    ENVIRONMENT_ADDED = "environment.added"
    ENVIRONMENT_CHANGED = "environment.changed"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its subject, actor and time. No field may contain a secret."""

    kind: ChangeKind
    actor: Actor
    at: datetime
    #: None if the subject belongs to the whole deployment, such as an operator.
    environment_id: str | None
    #: The identifier or id of the subject.
    subject: str
    #: The subject's display name, such as the name of a workspace or a key.
    subject_name: str | None = None
    #: The result, if the change can end in several ways, such as `revoked` or `not_confirmed`.
    result: str | None = None
    #: Text for the reader of the audit log. No code reads it.
    detail: str = ""


def record(rows: Rows, change: Change) -> str:
    """Write the audit entry of `change` into the caller's transaction and return the entry's id."""
    entry = audit.NewEntry(
        id=ids.new_id("aud"),
        environment_id=change.environment_id,
        at=change.at,
        actor=str(change.actor),
        action=change.kind,
        subject=change.subject,
        subject_name=change.subject_name,
        result=change.result,
        detail=change.detail,
    )
    audit.add(rows, entry)
    return entry.id
