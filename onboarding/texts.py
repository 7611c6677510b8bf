"""Texts that a page and a command, or several pages, show for the same value."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.outcomes import ConnectionStatus, GrantResult, Outcome


@dataclass(frozen=True)
class StatusText:
    label: str
    #: `good`, `warn`, `bad` or `calm`: the color of its icon.
    tone: str
    icon: str


@dataclass(frozen=True)
class ResultText:
    #: `good` or `warn`.
    tone: str
    sentence: str
    detail: str


@dataclass(frozen=True)
class OutcomeText:
    """How an install ended, for operators. The customer's page is a template of its own."""

    label: str
    sentence: str


STATUSES: Mapping[ConnectionStatus, StatusText] = {
    ConnectionStatus.HEALTHY: StatusText("Healthy", "good", "check-circle"),
    ConnectionStatus.NEEDS_RECONNECT: StatusText("Needs reconnect", "warn", "alert"),
    ConnectionStatus.UNREACHABLE: StatusText("Unreachable", "warn", "cloud-off"),
    ConnectionStatus.UNKNOWN: StatusText("Not checked yet", "calm", "question"),
    ConnectionStatus.DISCONNECTED: StatusText("Disconnected", "bad", "plug-off"),
}


@dataclass(frozen=True)
class CustomerStatusText(StatusText):
    """A status on a customer's own page."""

    sentence: str


CUSTOMER_STATUSES: Mapping[ConnectionStatus, CustomerStatusText] = {
    ConnectionStatus.HEALTHY: CustomerStatusText("Connected", "good", "check-circle", "The connection works."),
    ConnectionStatus.NEEDS_RECONNECT: CustomerStatusText(
        "Needs to be reconnected", "warn", "alert", "Slack has ended the access to this workspace."
    ),
    ConnectionStatus.UNREACHABLE: CustomerStatusText(
        "Slack can’t be reached", "warn", "cloud-off", "Slack did not answer the last check. Nothing was changed."
    ),
    ConnectionStatus.UNKNOWN: CustomerStatusText(
        "Connected, not checked yet", "calm", "question", "The connection was not checked with Slack yet."
    ),
    ConnectionStatus.DISCONNECTED: CustomerStatusText(
        "Access was removed in Slack", "bad", "plug-off", "The access to this workspace was removed in Slack."
    ),
}


@dataclass(frozen=True)
class FilterText:
    label: str
    #: A sentence that names the values that are allowed.
    allowed: str


#: The filters of the lists that know only some values.
FILTERS: Mapping[str, FilterText] = {
    "status": FilterText("Status", "Choose a status from the menu."),
    "mode": FilterText("Mode", "Choose a mode from the menu."),
    "integration": FilterText("Integration", "Choose an integration from the menu."),
    "context": FilterText("Context", "Enter one context as type and id, such as tenant:acme, or its id alone."),
    "sort": FilterText("Order", "Choose an order from the menu."),
    "outcome": FilterText("Outcome", "Choose an outcome from the menu."),
    "step": FilterText("Step", "Choose a step from the menu."),
    "since": FilterText("Time", "Choose a time from the menu."),
    "event": FilterText("Event", "Choose an event from the menu."),
}

#: The orders of the list of connections, as they are in its address.
SORTS: Mapping[str, str] = {
    "-created": "Newest first",
    "created": "Oldest first",
    "workspace": "Workspace, A to Z",
    "-workspace": "Workspace, Z to A",
    "status": "Status, A to Z",
    "-status": "Status, Z to A",
    "-checked": "Last check, newest",
    "checked": "Last check, oldest",
}

#: A disconnect never has the result `left`.
DISCONNECTED: Mapping[GrantResult, ResultText] = {
    GrantResult.REVOKED: ResultText(
        "good",
        "Disconnected. Access was removed in Slack.",
        "The app is no longer in this workspace, and its access has ended.",
    ),
    GrantResult.ALREADY_GONE: ResultText(
        "good",
        "Disconnected. Slack had already removed the access.",
        "Somebody removed the app from the workspace before, or Slack ended the access.",
    ),
    GrantResult.NOT_CONFIRMED: ResultText(
        "warn",
        "Disconnected here. Slack did not confirm; remove the app in Slack to be sure.",
        "The access was erased here, so we can’t use it any more. In Slack, open the app’s page and choose Remove app.",
    ),
    GrantResult.KEPT: ResultText(
        "good",
        "Disconnected. The app stays in Slack for other connections.",
        "Another connection uses the app’s access to this workspace, or is about to, so the access was not removed.",
    ),
}

OUTCOMES: Mapping[Outcome, OutcomeText] = {
    Outcome.CONNECTED: OutcomeText("Connected", "Slack approved the app, and the connection was saved."),
    Outcome.RECONNECTED: OutcomeText("Reconnected", "The connection got new access and kept its identifier."),
    Outcome.REPLAY_OK: OutcomeText("Connected", "The browser opened the end of a finished install again."),
    Outcome.ORG_INSTALLED: OutcomeText(
        "Installed for the organization",
        "The app is approved for the whole organization. An admin has to add it to the workspaces that should use it.",
    ),
    Outcome.PARTIAL_PERMISSIONS: OutcomeText(
        "Connected with fewer permissions", "The connection was saved. Some permissions were not granted in Slack."
    ),
    Outcome.CANCELLED: OutcomeText("Not connected", "The person decided not to connect."),
    Outcome.CANCELLED_MAYBE_APPROVAL: OutcomeText(
        "Not connected, no reason",
        "Slack sent the person back without a reason. They pressed Cancel, or asked a Slack admin for approval.",
    ),
    Outcome.AWAITING_APPROVAL: OutcomeText(
        "Waiting for a Slack admin", "The person cannot approve apps and got a link to send to a Slack admin."
    ),
    Outcome.LINK_EXPIRED: OutcomeText("Link expired", "The link was opened after it had expired."),
    Outcome.LINK_REVOKED: OutcomeText(
        "Link revoked",
        "The link stopped working before the install was finished: somebody revoked it, or its operator was removed or "
        "became a viewer.",
    ),
    Outcome.LINK_USED: OutcomeText(
        "Link already used", "Another install connected a workspace with the same link first."
    ),
    Outcome.LINK_TAMPERED: OutcomeText("Link incomplete", "A part of the link was missing or was changed."),
    Outcome.STATE_EXPIRED: OutcomeText(
        "Took longer than ten minutes", "The person was at Slack, or on the set-up page, for more than ten minutes."
    ),
    Outcome.OTHER_BROWSER: OutcomeText("Started in another browser", "Another browser started the install."),
    Outcome.STATE_UNKNOWN: OutcomeText("Unknown install", "The install was not started here, or was deleted."),
    Outcome.CODE_SPENT_UNKNOWN: OutcomeText(
        "Slack’s approval could not be used",
        "Slack’s approval was missing, had expired or was already used. Starting again helps.",
    ),
    Outcome.NO_STATE: OutcomeText("Started in Slack", "The install was started inside Slack and not with a link."),
    Outcome.ALREADY_CONNECTED: OutcomeText("Already connected", "The customer of the link was already connected."),
    Outcome.WRONG_WORKSPACE: OutcomeText(
        "Different workspace approved", "The person approved another workspace than the expected one."
    ),
    Outcome.WORKSPACE_TAKEN: OutcomeText(
        "Workspace belongs to another customer",
        "Another customer has connected the workspace, and the Slack app allows one customer for each workspace.",
    ),
    Outcome.CONFIG_ERROR: OutcomeText("Set-up problem", "The Slack app is not set up correctly, so Slack refused it."),
    Outcome.STORAGE_ERROR: OutcomeText("Could not be saved", "The database could not save the connection."),
    Outcome.POLICY_DENIED: OutcomeText(
        "Not allowed in Slack",
        "Slack’s rules for the workspace, or for the person’s account, do not allow the install.",
    ),
    Outcome.ORG_BLOCKS_WORKSPACE: OutcomeText(
        "Already installed for the organization",
        "The organization has the app already. Its admin has to add the workspace to it.",
    ),
    Outcome.OPERATOR_DENIED: OutcomeText(
        "Operator removed or limited",
        "The operator who started the install was removed, or became a viewer, before it was finished.",
    ),
    Outcome.TOO_MANY_ATTEMPTS: OutcomeText(
        "Too many tries with the link",
        "Twenty exchanges with the link failed within ten minutes, so Slack was not asked again.",
    ),
    Outcome.SLACK_BUSY: OutcomeText("Slack was busy", "Slack asked us to wait. Starting again later helps."),
    Outcome.SLACK_DOWN: OutcomeText(
        "Slack did not answer",
        "Slack sent no answer, or one that we cannot read, so nobody knows whether it finished. Starting again is safe.",
    ),
}

#: The result of revoking an approval in Slack that no connection uses.
UNUSED_GRANTS: Mapping[GrantResult, str] = {
    GrantResult.REVOKED: "The app was removed from the workspace again.",
    GrantResult.ALREADY_GONE: "The app was no longer in the workspace.",
    GrantResult.NOT_CONFIRMED: "Slack did not confirm that the app was removed. It can be removed in Slack.",
    GrantResult.KEPT: "The app stays in the workspace, because another connection uses it.",
    GrantResult.LEFT: "The app may still be in the workspace: the database did not answer, so it was not removed.",
}

#: The steps of an install: the last one that it reached.
ATTEMPT_STEPS: Mapping[str, str] = {
    "started": "Started",
    "sent": "Sent to Slack",
    "returned": "Back from Slack",
    "connected": "Connected",
}

#: Groups of outcomes, by which the list of installs can be filtered.
ATTEMPT_GROUPS: Mapping[str, str] = {
    "succeeded": "All that connected",
    "failed": "All that failed",
    "stopped": "All that stopped without a fault",
    "unfinished": "Not ended yet",
}

ATTEMPT_PERIODS: Mapping[str, str] = {"hour": "The last hour", "day": "The last 24 hours"}

#: The meaning of a pasted reference or address, by `services.installs.diagnosis.Finding`.
DIAGNOSES: Mapping[str, ResultText] = {
    "found": ResultText("good", "This belongs to an install.", ""),
    "not_continued": ResultText(
        "warn",
        "Slack sent the browser to this address, and the install did not go on.",
        "The address works once, for ten minutes, and only in the browser that started the install. The person probably "
        "finished in another browser or app. They can open their link again.",
    ),
    "state_unknown": ResultText(
        "warn",
        "No install belongs to the state in this address.",
        "The state is the value that ties Slack’s answer to an install. Installs are deleted after a week. If this one is newer, it was "
        "started on another server or in another environment, or the address is incomplete. The person can open their link again.",
    ),
    "no_state": ResultText(
        "warn",
        "This address has no state: the value that ties Slack’s answer to an install.",
        "The install was started inside Slack. Nothing was connected, because the server cannot know which customer it is for. Send the "
        "customer a link.",
    ),
    "link": ResultText(
        "warn", "This is the address of a link, not of an install.", "The list of links shows whether it works."
    ),
    "other_server": ResultText(
        "warn",
        "This address belongs to another server.",
        "If Slack redirected to it, the redirect URL in the Slack app names that server.",
    ),
    "unknown": ResultText(
        "warn",
        "No install belongs to this text.",
        "A reference has eight characters and is on the customer’s last page. Installs are deleted after a week.",
    ),
}

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

#: The choices of the time, in days.
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
}


def audit_action(action: str) -> str:
    """Return the words for an action of the audit log, such as "API key created" for `api_key.created`."""
    if action in _AUDIT_WORDS:
        return _AUDIT_WORDS[action]
    subject, _, done = action.replace("_", " ").partition(".")
    return f"{subject.capitalize()} {done}".replace("Api key", "API key")


#: The states of a webhook endpoint.
ENDPOINT_STATES: Mapping[str, StatusText] = {
    "enabled": StatusText("Active", "good", "check-circle"),
    "failing": StatusText("Failing", "warn", "alert"),
    "paused": StatusText("Paused", "bad", "pause"),
}

#: The states of a webhook delivery.
DELIVERY_STATES: Mapping[str, StatusText] = {
    "waiting": StatusText("Waiting", "calm", "clock"),
    "delivered": StatusText("Delivered", "good", "check-circle"),
    "parked": StatusText("Not delivered", "bad", "alert"),
}


@dataclass(frozen=True)
class PauseText:
    """Why a webhook endpoint is paused, and what to do about it."""

    #: For a list.
    label: str
    sentence: str
    advice: str


#: By `store.webhook_endpoints.PauseReason`.
PAUSES: Mapping[str, PauseText] = {
    "requested": PauseText(
        "On request",
        "An operator, a command or the API paused it.",
        "Resume it when your server is ready for events again.",
    ),
    "failures": PauseText(
        "Five days of failures",
        "Your server accepted no message for five days.",
        "Repair your server, then resume the endpoint.",
    ),
    "gone": PauseText(
        "Status 410",
        "Your server answered with status 410 (Gone).",
        "If the address has moved, change it, then resume the endpoint. If nobody needs the events any more, delete it.",
    ),
}


@dataclass(frozen=True)
class BulkText:
    """A bulk action: its button, its question or heading, and the heading after it has started."""

    button: str
    question: str
    heading: str


#: By `services.connections.bulk.BulkAction`.
BULK_ACTIONS: Mapping[str, BulkText] = {
    "check": BulkText("Check now", "", "Check"),
    "link": BulkText("Create reconnect links", "", "Reconnect links for"),
    "disconnect": BulkText("Disconnect", "Disconnect", "Disconnect"),
}

#: How a bulk action ended for a connection.
BULK_RESULTS: Mapping[str, StatusText] = {
    **{str(status): text for status, text in STATUSES.items()},
    "link_created": StatusText("Link created", "good", "link"),
    "revoked": StatusText("Disconnected, removed in Slack", "good", "check-circle"),
    "already_gone": StatusText("Disconnected, Slack had removed it", "good", "check-circle"),
    "not_confirmed": StatusText("Disconnected, not confirmed by Slack", "warn", "alert"),
    "kept": StatusText("Disconnected, app stays in Slack", "good", "check-circle"),
    "gone": StatusText("No longer there", "calm", "info"),
    "slack_down": StatusText("Slack did not answer", "warn", "cloud-off"),
    "slack_busy": StatusText("Slack asked us to slow down", "warn", "clock"),
    "refused": StatusText("Refused", "warn", "alert"),
    "failed": StatusText("Failed", "bad", "alert"),
}

#: Why no bulk action was begun, by the code of the refusal.
BULK_REFUSALS: Mapping[str, str] = {
    "nothing_chosen": "No connection was chosen. Select rows, or choose all that match.",
    "too_many": "More than 1,000 connections match. Narrow the filters, and choose again.",
}
