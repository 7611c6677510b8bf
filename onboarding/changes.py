"""Record each change as an audit entry and an event for hosts, in the transaction that makes the change."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from onboarding import events, ids
from onboarding.callers import Actor
from onboarding.event_types import EventType
from onboarding.events import NO_DETAILS, ConnectionEvent, EventDetails
from onboarding.store import audit
from onboarding.store.database import Rows
from onboarding.store.inserts import NewRows


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
    CONNECTION_CHANNEL_CHANGED = "connection.channel_changed"
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
    KEYS_ROTATED = "keys.rotated"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_PAUSED = "webhook.paused"
    WEBHOOK_RESUMED = "webhook.resumed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_REPLAYED = "webhook.replayed"
    WEBHOOK_REMOVED = "webhook.removed"


#: The changes that hosts learn of.
_EVENTS = {
    ChangeKind.CONNECTION_CONNECTED: EventType.CONNECTED,
    ChangeKind.CONNECTION_RECONNECTED: EventType.RECONNECTED,
    ChangeKind.CONNECTION_UPDATED: EventType.RECONNECTED,
    ChangeKind.CONNECTION_DISCONNECTED: EventType.DISCONNECTED,
    ChangeKind.CONNECTION_BROKEN: EventType.BROKEN,
    ChangeKind.CONNECTION_UNREACHABLE: EventType.UNREACHABLE,
    ChangeKind.CONNECTION_HEALED: EventType.HEALED,
    ChangeKind.CONNECTION_RENAMED: EventType.RENAMED,
    ChangeKind.CONNECTION_PERMISSIONS_CHANGED: EventType.PERMISSIONS_CHANGED,
    ChangeKind.CONNECTION_CHANNEL_CHANGED: EventType.CHANNEL_CHANGED,
}


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
    #: More for the event, if hosts learn of the change.
    event: EventDetails = NO_DETAILS


def record(rows: Rows, change: Change, *new: NewRows) -> str:
    """Write the audit entry of `change`, and the event for hosts, into the caller's transaction. Return the entry's id.

    `new`: the rows of a new subject, which are inserted together with the entry. If hosts learn of the change, its
    connection must be in `new`, in the database, or in `change.event.removed`.
    """
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
    audit.add(rows, entry, *new)
    event = _EVENTS.get(change.kind)
    if event is not None and change.environment_id is not None:
        events.connection_changed(
            rows,
            ConnectionEvent(event, change.environment_id, change.subject, change.actor, change.at, change.event),
        )
    return entry.id
