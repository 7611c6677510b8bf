"""The events that hosts can get as webhooks. The names are part of the API (docs/webhooks.md)."""

from enum import StrEnum


class EventType(StrEnum):
    CONNECTED = "connection.connected"
    RECONNECTED = "connection.reconnected"
    DISCONNECTED = "connection.disconnected"
    #: Slack rejects the token.
    BROKEN = "connection.broken"
    #: Slack has not answered for an hour. The token may be valid.
    UNREACHABLE = "connection.unreachable"
    #: The token works again, or Slack answers again.
    HEALED = "connection.healed"
    PERMISSIONS_CHANGED = "connection.permissions_changed"
    #: The workspace has another name or domain.
    RENAMED = "connection.renamed"
    #: A Slack channel that messages go to has changed.
    CHANNEL_CHANGED = "connection.channel_changed"
    ATTEMPT_FAILED = "attempt.failed"
    ATTEMPT_AWAITING_APPROVAL = "attempt.awaiting_approval"


#: Sent to one endpoint on request, even if the endpoint has not chosen it.
TEST_EVENT = "webhook.test"
#: A sentence for each, for the console.
EVENT_WORDS = {
    EventType.CONNECTED: "A workspace was connected.",
    EventType.RECONNECTED: "A connection got new credentials, maybe of another workspace.",
    EventType.DISCONNECTED: "A connection was removed, or Slack ended its access.",
    EventType.BROKEN: "Slack rejects the connection's token, or an organization's admin removed the app from the workspace.",
    EventType.UNREACHABLE: "Slack has not answered about the connection for an hour.",
    EventType.HEALED: "A broken or unreachable connection works again.",
    EventType.PERMISSIONS_CHANGED: "The app's permissions in the workspace changed.",
    EventType.RENAMED: "The workspace has another name or address.",
    EventType.CHANNEL_CHANGED: "A channel that messages go to was renamed, archived, restored or deleted.",
    EventType.ATTEMPT_FAILED: "An install ended without a connection.",
    EventType.ATTEMPT_AWAITING_APPROVAL: "A person asked a Slack admin to approve.",
}
