"""Words of the audit log."""

from collections.abc import Mapping

#: Audit entries about a connection, by their action.
AUDIT_ACTIONS: Mapping[str, str] = {
    "connection.connected": "Connected",
    "connection.reconnected": "Reconnected",
    "connection.updated": "Workspace and credentials replaced through the API",
    "connection.tested": "Test message sent",
    "connection.renamed": "The workspace has a new name or domain",
    "connection.broken": "Needs to be reconnected",
    "connection.healed": "Works again",
    "connection.unreachable": "Slack has not answered for an hour",
    "connection.permissions_changed": "Permissions changed in Slack",
    "connection.channel_changed": "A channel changed in Slack",
    "connection.disconnected": "Disconnected",
}
#: The kinds of actors of the audit log.
AUDIT_ACTORS: Mapping[str, str] = {
    "operator": "Operator",
    "key": "API key",
    "link": "Link",
    "shell": "Command",
    "system": "Server",
    "slack": "Slack",
}
#: The periods to filter the audit log by. The keys are numbers of days.
AUDIT_PERIODS: Mapping[str, str] = {
    "1": "In the last day",
    "7": "In the last 7 days",
    "30": "In the last 30 days",
    "365": "In the last year",
}
#: The words for actions whose names are terms of the code.
_AUDIT_WORDS: Mapping[str, str] = {
    "connection.connected": "Workspace connected",
    "connection.reconnected": "Workspace reconnected",
    "connection.permissions_changed": "Permissions changed",
    "grant.dropped": "Unused access dropped",
    "link.handed_on": "Approval link created",
    "practice.cleared": "Practice integration removed",
    "webhook.rotated": "Webhook secret changed",
}


def audit_action(action: str) -> str:
    """Return the words for an action of the audit log, such as "API key created" for `api_key.created`."""
    if action in _AUDIT_WORDS:
        return _AUDIT_WORDS[action]
    subject, _, done = action.replace("_", " ").partition(".")
    return f"{subject.capitalize()} {done}".replace("Api key", "API key").replace("Endpoint", "Channel endpoint")
