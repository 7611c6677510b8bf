"""Explain why Slack refused a message: https://docs.slack.dev/reference/methods/chat.postMessage#errors"""

from typing import NamedTuple

from onboarding.slack import faults


class MessageFault(NamedTuple):
    """The cause, what an operator does about it, and whether new permissions or new access help."""

    cause: str
    fix: str
    needs_permissions: bool = False
    needs_reconnect: bool = False


_RESTRICTED = MessageFault(
    "Only some people may post in this channel.",
    "In Slack, an admin of the workspace can allow the app in the channel’s settings, under Posting permissions. Or choose "
    "another channel.",
)
_FAULTS = {
    "not_in_channel": MessageFault(
        "The app is not in this channel.",
        "In Slack, open the channel, type /invite and the app’s name, and send the message again. With the permission "
        "chat:write.public, the app posts in public channels without an invitation.",
    ),
    "channel_not_found": MessageFault(
        "Slack finds no such channel, or the app cannot see it.",
        "Check that the channel belongs to this workspace. A private channel is found only after somebody in it has typed "
        "/invite and the app’s name.",
    ),
    "is_archived": MessageFault("The channel is archived.", "Choose another channel, or unarchive this one in Slack."),
    "restricted_action": _RESTRICTED,
    "restricted_action_read_only_channel": _RESTRICTED,
    "restricted_action_thread_only_channel": MessageFault(
        "This channel takes replies in threads only.", "Choose another channel."
    ),
    "restricted_action_non_threadable_channel": _RESTRICTED,
    "missing_scope": MessageFault(
        "The app has no permission to post messages.",
        "Update the permissions of this connection. If the Slack app does not ask for chat:write yet, add it first, under "
        "Integrations.",
        needs_permissions=True,
    ),
    "team_access_not_granted": MessageFault(
        "The app is installed for the organization, and not added to the channel’s workspace.",
        "Ask an admin of the organization to add it to the workspace, in Slack’s admin pages.",
    ),
    "ekm_access_denied": MessageFault(
        "Slack cannot use the organization’s encryption keys, so it accepts no messages.",
        "Ask an admin of the organization.",
    ),
    "message_limit_exceeded": MessageFault(
        "The workspace has reached its limit of messages.", "Ask an admin of the workspace."
    ),
}


def explain(code: str) -> MessageFault:
    """Return the explanation of an error code of `chat.postMessage`. For an unknown code, it repeats the code."""
    if code in _FAULTS:
        return _FAULTS[code]
    if is_about_access(code):
        return MessageFault(
            faults.reason(code),
            "Connect the workspace again. The connection keeps its identifier.",
            needs_reconnect=True,
        )
    if faults.is_slack_itself(code):
        return MessageFault("Slack reported an error of its own.", "Check https://slack-status.com and try again.")
    return MessageFault(
        f"Slack refused with the error code {code}.",
        "See https://docs.slack.dev/reference/methods/chat.postMessage#errors.",
    )


def is_about_access(code: str) -> bool:
    """Return whether the code says that the token no longer works."""
    return code in faults.GONE or code == "token_expired"
