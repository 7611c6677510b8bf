"""Words of bulk actions."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.texts import STATUSES, StatusText


@dataclass(frozen=True)
class BulkText:
    """The texts of a bulk action. A page adds the number of connections to `question` and `heading`."""

    button: str
    #: Asked before the action starts; empty for an action that starts without a question.
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
    "already_gone": StatusText("Disconnected, already removed in Slack", "good", "check-circle"),
    "pending": StatusText("Disconnected, Slack is asked again", "warn", "clock"),
    "not_confirmed": StatusText("Disconnected, not confirmed by Slack", "warn", "alert"),
    "kept": StatusText("Disconnected, app stays in Slack", "good", "check-circle"),
    "gone": StatusText("No longer exists", "calm", "info"),
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
