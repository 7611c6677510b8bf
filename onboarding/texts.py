"""Texts that a page and a command, or several pages, show for the same value."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.outcomes import ConnectionStatus, GrantResult


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


STATUSES: Mapping[ConnectionStatus, StatusText] = {
    ConnectionStatus.HEALTHY: StatusText("Healthy", "good", "check-circle"),
    ConnectionStatus.NEEDS_RECONNECT: StatusText("Needs reconnect", "warn", "alert"),
    ConnectionStatus.UNREACHABLE: StatusText("Unreachable", "warn", "cloud-off"),
    ConnectionStatus.UNKNOWN: StatusText("Not checked yet", "calm", "question"),
    ConnectionStatus.DISCONNECTED: StatusText("Disconnected", "bad", "plug-off"),
}

#: A disconnect never has the result `left`.
DISCONNECTED: Mapping[GrantResult, ResultText] = {
    GrantResult.REVOKED: ResultText(
        "good",
        "Disconnected. Access was removed in Slack.",
        "The app is out of this workspace, and the token no longer works.",
    ),
    GrantResult.ALREADY_GONE: ResultText(
        "good",
        "Disconnected. Slack had already removed the access.",
        "Somebody removed the app from the workspace before, or Slack ended the access.",
    ),
    GrantResult.NOT_CONFIRMED: ResultText(
        "warn",
        "Disconnected here. Slack did not confirm; remove the app in Slack to be sure.",
        "The token was erased here, so we can't use it any more. In Slack, open the app's page and choose Remove app.",
    ),
    GrantResult.KEPT: ResultText(
        "good",
        "Disconnected. The app stays in Slack for other connections.",
        "Another connection uses this workspace or the same access, or is being created, so the access was not removed.",
    ),
}
