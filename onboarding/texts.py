"""Texts that a page and a command, or several pages, show for the same value."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding import causes
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
        "Needs to be reconnected", "warn", "alert", "The access to this workspace has ended."
    ),
    ConnectionStatus.UNREACHABLE: CustomerStatusText(
        "Slack can’t be reached", "warn", "cloud-off", "Slack did not answer the last check. Nothing was changed."
    ),
    ConnectionStatus.UNKNOWN: CustomerStatusText(
        "Connected, not checked yet", "calm", "question", "The connection has not been checked yet."
    ),
    ConnectionStatus.DISCONNECTED: CustomerStatusText(
        "Access was removed in Slack", "bad", "plug-off", "The access to this workspace was removed in Slack."
    ),
}


def customer_cause(status: ConnectionStatus, reason: str | None) -> str:
    """Return why a connection has its status, in words for its customer, which do not mention the token."""
    return reason if reason in causes.FOR_CUSTOMERS else CUSTOMER_STATUSES[status].sentence


@dataclass(frozen=True)
class FilterText:
    label: str
    #: A sentence that names the values that are allowed.
    allowed: str


#: The filters of lists that accept only certain values.
FILTERS: Mapping[str, FilterText] = {
    "status": FilterText("Status", "Choose a status from the menu."),
    "mode": FilterText("Mode", "Choose a mode from the menu."),
    "integration": FilterText("Integration", "Choose an integration from the menu."),
    "context": FilterText("Context", "Enter one context as type and id, such as tenant:acme, or its id alone."),
    "sort": FilterText("Order", "Choose an order from the menu."),
    "outcome": FilterText("Outcome", "Choose an outcome from the menu."),
    "step": FilterText("Step", "Choose a step from the menu."),
    "since": FilterText("Time", "Choose a time from the menu."),
    "action": FilterText("Action", "Choose an action from the menu."),
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
    GrantResult.PENDING: ResultText(
        "warn",
        "Disconnected here. Slack has not confirmed yet.",
        "We keep asking Slack for a day, and store the access encrypted until Slack has answered. To end the access at once, "
        "open the app’s page in Slack and choose Remove app.",
    ),
    GrantResult.REVOKED: ResultText(
        "good",
        "Disconnected. Access was removed in Slack.",
        "The app is no longer in this workspace, and its access has ended.",
    ),
    GrantResult.ALREADY_GONE: ResultText(
        "good",
        "Disconnected. Slack had already removed the access.",
        "Somebody had already removed the app from the workspace, or Slack had ended the access.",
    ),
    GrantResult.NOT_CONFIRMED: ResultText(
        "warn",
        "Disconnected here. Slack did not confirm; remove the app in Slack to be sure.",
        "The access was erased here, so we can’t use it any more. In Slack, open the app’s page and choose Remove app.",
    ),
    GrantResult.KEPT: ResultText(
        "good",
        "Disconnected. The app stays in Slack for other connections.",
        "Another connection uses this workspace, or is being created there.",
    ),
}

OUTCOMES: Mapping[Outcome, OutcomeText] = {
    Outcome.CONNECTED: OutcomeText("Connected", "The person approved the app, and the connection was saved."),
    Outcome.RECONNECTED: OutcomeText("Reconnected", "The connection got new access and kept its identifier."),
    Outcome.REPLAY_OK: OutcomeText("Connected", "Slack’s callback of a finished install was opened again."),
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
    Outcome.CONFIG_ERROR: OutcomeText(
        "Set-up problem",
        "The Slack app is not set up correctly, or Slack gave a reason that this server does not know.",
    ),
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
        "Twenty tries with the link failed within ten minutes, so Slack was not asked again.",
    ),
    Outcome.SLACK_BUSY: OutcomeText("Slack was busy", "Slack asked us to wait. Starting again later helps."),
    Outcome.SLACK_DOWN: OutcomeText(
        "Slack did not answer",
        "Slack sent no answer, or one that we cannot read, so nobody knows whether it finished. Starting again is safe.",
    ),
}

#: The result of revoking an approval in Slack that no connection uses.
UNUSED_GRANTS: Mapping[GrantResult, str] = {
    GrantResult.PENDING: "Slack has not confirmed yet that the app was removed. The server keeps asking for a day.",
    GrantResult.REVOKED: "The app was removed from the workspace again.",
    GrantResult.ALREADY_GONE: "The app was no longer in the workspace.",
    GrantResult.NOT_CONFIRMED: "Slack did not confirm that the app was removed. It can be removed in Slack.",
    GrantResult.KEPT: "The app stays in the workspace, because another connection uses it.",
    GrantResult.LEFT: "The app may still be in the workspace: the database did not answer, so it was not removed.",
}
