"""Words of the list of installs and of its diagnosis."""

from collections.abc import Mapping

from onboarding.texts import ResultText

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
        "If Slack redirected to it, correct the redirect URL in the Slack app.",
    ),
    "unknown": ResultText(
        "warn",
        "No install belongs to this text.",
        "A reference has eight characters and is on the customer’s last page. Installs are deleted after a week.",
    ),
}
