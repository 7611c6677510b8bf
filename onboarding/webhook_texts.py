"""Words of webhook endpoints and deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass

from onboarding.texts import StatusText

#: The states of a webhook endpoint.
ENDPOINT_STATES: Mapping[str, StatusText] = {
    "enabled": StatusText("Enabled", "good", "check-circle"),
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
