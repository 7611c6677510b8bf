"""The outcomes of installs and revocations, and the statuses of connections and channel endpoints.

Each is an enum with its stored value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an install attempt can end. `OUTCOMES` names the page of each, and docs/outcomes.md says when it occurs."""

    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    REPLAY_OK = "replay_ok"
    ORG_INSTALLED = "org_installed"
    PARTIAL_PERMISSIONS = "partial_permissions"
    CANCELLED = "cancelled"
    CANCELLED_MAYBE_APPROVAL = "cancelled_maybe_approval"
    AWAITING_APPROVAL = "awaiting_approval"
    LINK_EXPIRED = "link_expired"
    LINK_REVOKED = "link_revoked"
    LINK_USED = "link_used"
    LINK_TAMPERED = "link_tampered"
    STATE_EXPIRED = "state_expired"
    OTHER_BROWSER = "other_browser"
    STATE_UNKNOWN = "state_unknown"
    CODE_SPENT_UNKNOWN = "code_spent_unknown"
    NO_STATE = "no_state"
    ALREADY_CONNECTED = "already_connected"
    WRONG_WORKSPACE = "wrong_workspace"
    WORKSPACE_TAKEN = "workspace_taken"
    CONFIG_ERROR = "config_error"
    STORAGE_ERROR = "storage_error"
    POLICY_DENIED = "policy_denied"
    ORG_BLOCKS_WORKSPACE = "org_blocks_workspace"
    OPERATOR_DENIED = "operator_denied"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    SLACK_BUSY = "slack_busy"
    SLACK_DOWN = "slack_down"

    @property
    def is_success(self) -> bool:
        return OUTCOMES[self].page == "connected"


class GrantResult(StrEnum):
    """The result of revoking access that no connection uses any more."""

    #: Slack has not answered yet. The server keeps asking for a day.
    PENDING = "pending"
    REVOKED = "revoked"
    #: Slack answered that the token was revoked before.
    ALREADY_GONE = "already_gone"
    #: Slack refused, or did not answer for a day.
    NOT_CONFIRMED = "not_confirmed"
    #: Another connection or attempt uses the same workspace.
    KEPT = "kept"
    #: The database did not answer, so nothing was revoked.
    LEFT = "left"


class ConnectionStatus(StrEnum):
    """A connection's status, from Slack's last answer. The console lists the values in this order."""

    HEALTHY = "healthy"
    #: Slack rejects the token.
    NEEDS_RECONNECT = "needs_reconnect"
    #: Slack has not answered any check for an hour. That says nothing about the token.
    UNREACHABLE = "unreachable"
    #: The connection was not verified yet.
    UNKNOWN = "unknown"
    #: Slack has ended the access, and the tokens are erased. The connection stays, and an install revives it.
    DISCONNECTED = "disconnected"

    @property
    def is_broken(self) -> bool:
        """Return whether the customer must connect the workspace again."""
        return self in (ConnectionStatus.NEEDS_RECONNECT, ConnectionStatus.DISCONNECTED)


class EndpointStatus(StrEnum):
    """The state of a channel endpoint's Slack channel, from Slack's newest event about it."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True)
class OutcomePage:
    """The page of an outcome, and how it is counted: the rows of docs/outcomes.md, which explains each class."""

    outcome: Outcome
    #: A template in templates/customer/results/, without its suffix.
    page: str
    #: The HTTP status.
    status: int
    #: The outcome's class: `success`, `failure`, `neutral`, `watched` or `security`.
    metric: str
    #: The `data-action` of the page's primary button; empty if it has none.
    action: str


_ROWS = (
    OutcomePage(Outcome.CONNECTED, "connected", 200, "success", ""),
    OutcomePage(Outcome.RECONNECTED, "connected", 200, "success", ""),
    OutcomePage(Outcome.REPLAY_OK, "connected", 200, "neutral", ""),
    OutcomePage(Outcome.ORG_INSTALLED, "connected", 200, "success", ""),
    OutcomePage(Outcome.PARTIAL_PERMISSIONS, "connected", 200, "success", ""),
    OutcomePage(Outcome.CANCELLED, "cancelled", 200, "neutral", "try-again"),
    OutcomePage(Outcome.CANCELLED_MAYBE_APPROVAL, "cancelled", 200, "neutral", "ask-admin"),
    OutcomePage(Outcome.AWAITING_APPROVAL, "approval", 200, "neutral", ""),
    OutcomePage(Outcome.LINK_EXPIRED, "link_unusable", 410, "neutral", ""),
    OutcomePage(Outcome.LINK_REVOKED, "link_unusable", 410, "neutral", ""),
    OutcomePage(Outcome.LINK_USED, "link_unusable", 410, "neutral", ""),
    OutcomePage(Outcome.LINK_TAMPERED, "link_unusable", 400, "security", ""),
    OutcomePage(Outcome.STATE_EXPIRED, "link_unusable", 400, "neutral", "try-again"),
    OutcomePage(Outcome.OTHER_BROWSER, "link_unusable", 400, "watched", "try-again"),
    OutcomePage(Outcome.STATE_UNKNOWN, "link_unusable", 400, "security", ""),
    OutcomePage(Outcome.CODE_SPENT_UNKNOWN, "link_unusable", 400, "failure", "try-again"),
    OutcomePage(Outcome.NO_STATE, "begun_in_slack", 400, "neutral", ""),
    OutcomePage(Outcome.ALREADY_CONNECTED, "already_connected", 200, "neutral", ""),
    OutcomePage(Outcome.WRONG_WORKSPACE, "other_workspace", 200, "neutral", "choose-again"),
    OutcomePage(Outcome.WORKSPACE_TAKEN, "workspace_taken", 409, "neutral", "try-again"),
    OutcomePage(Outcome.CONFIG_ERROR, "our_fault", 500, "failure", ""),
    OutcomePage(Outcome.STORAGE_ERROR, "our_fault", 500, "failure", "try-again"),
    OutcomePage(Outcome.POLICY_DENIED, "not_allowed", 403, "neutral", "ask-admin"),
    OutcomePage(Outcome.ORG_BLOCKS_WORKSPACE, "not_allowed", 409, "neutral", "ask-admin"),
    OutcomePage(Outcome.OPERATOR_DENIED, "operator_denied", 403, "security", ""),
    OutcomePage(Outcome.TOO_MANY_ATTEMPTS, "too_many_attempts", 429, "security", "try-again"),
    OutcomePage(Outcome.SLACK_BUSY, "slack_fault", 503, "failure", "try-again"),
    OutcomePage(Outcome.SLACK_DOWN, "slack_fault", 502, "failure", "try-again"),
)
OUTCOMES: Mapping[Outcome, OutcomePage] = {row.outcome: row for row in _ROWS}
