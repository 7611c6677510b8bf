"""How an install can end, as data: the outcome table of the install flow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One row: the page that tells it, its HTTP status, its metric class, and the hook of its primary button if it has one."""

    name: str
    page: str
    status: int
    metric: str
    action: str

    @property
    def is_success(self) -> bool:
        return self.page == "connected"


def _rows(*rows: tuple[str, str, int, str, str]) -> dict[str, Outcome]:
    return {name: Outcome(name, page, status, metric, action) for name, page, status, metric, action in rows}


OUTCOMES = _rows(
    ("connected", "connected", 200, "success", ""),
    ("reconnected", "connected", 200, "success", ""),
    ("replay_ok", "connected", 200, "neutral", ""),
    ("org_installed", "connected", 200, "success", ""),
    ("partial_permissions", "connected", 200, "success", "try-again"),
    ("cancelled", "cancelled", 200, "neutral", "try-again"),
    ("cancelled_maybe_approval", "cancelled", 200, "neutral", "ask-admin"),
    ("awaiting_approval", "approval", 200, "neutral", ""),
    ("link_expired", "link_unusable", 410, "neutral", ""),
    ("link_revoked", "link_unusable", 410, "neutral", ""),
    ("link_used", "link_unusable", 410, "neutral", ""),
    ("link_tampered", "link_unusable", 400, "security", ""),
    ("state_expired", "link_unusable", 400, "neutral", "try-again"),
    ("other_browser", "link_unusable", 400, "watched", "try-again"),
    ("state_unknown", "link_unusable", 400, "security", ""),
    ("code_spent_unknown", "link_unusable", 400, "failure", "try-again"),
    ("no_state", "begun_in_slack", 400, "neutral", ""),
    ("already_connected", "already_connected", 200, "neutral", ""),
    ("wrong_workspace", "other_workspace", 200, "neutral", "choose-again"),
    ("workspace_taken", "workspace_taken", 409, "neutral", ""),
    ("config_error", "our_fault", 500, "failure", ""),
    ("storage_error", "our_fault", 500, "failure", "try-again"),
    ("policy_denied", "not_allowed", 403, "neutral", "ask-admin"),
    ("org_blocks_workspace", "not_allowed", 409, "neutral", "ask-admin"),
    ("slack_busy", "slack_fault", 503, "failure", "try-again"),
    ("slack_down", "slack_fault", 502, "failure", "try-again"),
)
