"""Web API methods for channels: `conversations.list`, `.info`, `.join`, and `chat.postMessage`."""

from base64 import b64decode, b64encode

from onboarding.practice.api_call import Answer, ApiCall
from onboarding.practice.errors import Refused
from onboarding.practice.ledger import Installation, Token
from onboarding.practice.workspaces import Channel, Workspace

DEFAULT_PAGE = 100
MAX_PAGE_SIZE = 999
MAX_MESSAGE_LENGTH = 40_000

_TYPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "mpim": "mpim:read",
    "im": "im:read",
}


def conversations_list(call: ApiCall) -> Answer:
    """Return one page of channels, filtered after paging as in Slack: any page can be short or empty."""
    types = [name.strip() for name in call.params.get("types", "public_channel").split(",")]
    if not set(types) <= set(_TYPES):
        raise Refused("invalid_types")
    token = call.token(*(_TYPES[name] for name in types))
    for name in types:
        if _TYPES[name] not in token.scopes:
            raise Refused("missing_scope", needed=_TYPES[name], provided=",".join(token.scopes))
    workspace, installation = call.workspace(token), call.installation(token)
    start, size = _cursor(call.params.get("cursor", "")), _limit(call.params.get("limit"))
    page = workspace.channels[start : start + size]
    shown = [
        _show(channel, installation, workspace)
        for channel in page
        if _is_seen(channel, installation)
        and ("private_channel" if channel.is_private else "public_channel") in types
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    after = start + size
    more = b64encode(f"next:{after}".encode()).decode() if after < len(workspace.channels) else ""
    return {"channels": shown, "response_metadata": {"next_cursor": more}}


def conversations_info(call: ApiCall) -> Answer:
    token = call.token("channels:read", "groups:read")
    workspace, installation = call.workspace(token), call.installation(token)
    channel = _find(workspace, installation, call.params.get("channel", ""))
    if channel.is_private and "groups:read" not in token.scopes:
        raise Refused("missing_scope", needed="groups:read", provided=",".join(token.scopes))
    return {"channel": _show(channel, installation, workspace)}


def conversations_join(call: ApiCall) -> Answer:
    token = call.token("channels:join")
    workspace, installation = call.workspace(token), call.installation(token)
    channel = _find(workspace, installation, call.params.get("channel", ""))
    if channel.is_private:
        raise Refused("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refused("is_archived")
    already = channel.id in installation.channels
    if not already:
        with call.slack.changing():
            installation.channels.append(channel.id)
    answer: Answer = {"channel": _show(channel, installation, workspace)}
    return answer | ({"warning": "already_in_channel"} if already else {})


def chat_post_message(call: ApiCall) -> Answer:
    token = call.token("chat:write")
    text = call.params.get("text", "")
    if not text and not call.params.get("blocks") and not call.params.get("attachments"):
        raise Refused("no_text")
    if len(text) > MAX_MESSAGE_LENGTH:
        raise Refused("msg_too_long")
    workspace, installation = _posting_workspace(call, token), call.installation(token)
    channel = _find(workspace, installation, call.params.get("channel", ""), by_name=True)
    if channel.is_archived:
        raise Refused("is_archived")
    # https://docs.slack.dev/reference/scopes/chat.write.public
    if token.kind == "bot" and channel.id not in installation.channels and "chat:write.public" not in token.scopes:
        raise Refused("not_in_channel")
    if channel.refuses_with:
        raise Refused(channel.refuses_with)
    ts = f"{call.slack.now():.6f}"
    message = {"type": "message", "text": text, "user": token.user_id, "ts": ts, "team": workspace.id}
    if token.kind == "bot":
        message |= {"bot_id": installation.bot_id, "subtype": "bot_message"}
    return {"channel": channel.id, "ts": ts, "message": message}


def _posting_workspace(call: ApiCall, token: Token) -> Workspace:
    """Find the workspace to post in. Without `team_id`, an organization's token finds it by the channel's id only."""
    here = call.slack.workspaces[token.workspace_id]
    if not here.is_org or call.params.get("team_id"):
        return call.workspace(token)
    wanted = call.params.get("channel", "")
    if not wanted.startswith("C"):
        raise Refused("team_not_found")
    for team_id in call.installation(token).teams:
        team = call.slack.workspaces[team_id]
        if any(channel.id == wanted for channel in team.channels):
            return team
    raise Refused("channel_not_found")


def _find(workspace: Workspace, installation: Installation, wanted: str, *, by_name: bool = False) -> Channel:
    """Find a channel that the bot can see: private channels are visible to their members only."""
    for channel in workspace.channels:
        named = channel.id == wanted or (by_name and wanted.lstrip("#") == channel.name)
        if named and _is_seen(channel, installation):
            return channel
    raise Refused("channel_not_found")


def _is_seen(channel: Channel, installation: Installation) -> bool:
    return not channel.is_private or channel.id in installation.channels


def _show(channel: Channel, installation: Installation, workspace: Workspace) -> Answer:
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": channel.id in installation.channels,
        "creator": workspace.person.id,
        "context_team_id": workspace.id,
        "num_members": 12,
    }


def _limit(text: str | None) -> int:
    try:
        limit = int(text) if text else DEFAULT_PAGE
    except ValueError:
        raise Refused("invalid_limit") from None
    if not 1 <= limit <= MAX_PAGE_SIZE:
        raise Refused("invalid_limit")
    return limit


def _cursor(text: str) -> int:
    if not text:
        return 0
    try:
        word, number = b64decode(text, validate=True).decode().split(":")
        if word != "next" or not number.isdecimal():
            raise ValueError
        return int(number)
    except ValueError:
        raise Refused("invalid_cursor") from None
