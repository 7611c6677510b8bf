"""A sentence for each scope that says what an app may do. Other scopes of a known family are shown by name."""

import re

_SENTENCES = {
    "app_mentions:read": "View messages that mention the app",
    "assistant:write": "Act as an assistant",
    "bookmarks:read": "View bookmarks",
    "bookmarks:write": "Manage bookmarks",
    "canvases:read": "View canvases",
    "canvases:write": "Create and edit canvases",
    "channels:history": "View messages in public channels that it is in",
    "channels:join": "Join public channels",
    "channels:manage": "Manage public channels that it is in, and make new ones",
    "channels:read": "View basic information about public channels",
    "chat:write": "Send messages as the app",
    "chat:write.customize": "Send messages with another name and picture",
    "chat:write.public": "Send messages to public channels that it is not in",
    "commands": "Add commands that people can use",
    "dnd:read": "View do-not-disturb settings",
    "emoji:read": "View custom emoji",
    "files:read": "View files in channels that it is in",
    "files:write": "Upload, edit and delete files",
    "groups:history": "View messages in private channels that it is in",
    "groups:read": "View basic information about private channels that it is in",
    "groups:write": "Manage private channels that it is in, and make new ones",
    "im:history": "View messages in its direct messages",
    "im:read": "View basic information about its direct messages",
    "im:write": "Start direct messages with people",
    "incoming-webhook": "Post messages to one channel",
    "links:read": "View links of its domains in messages",
    "links:write": "Show previews of links",
    "metadata.message:read": "View message metadata",
    "mpim:history": "View messages in its group direct messages",
    "mpim:read": "View basic information about its group direct messages",
    "mpim:write": "Start group direct messages with people",
    "pins:read": "View pinned messages and files",
    "pins:write": "Add and remove pins",
    "reactions:read": "View reactions",
    "reactions:write": "Add and change reactions",
    "team:read": "View the workspace’s name, domain and icon",
    "usergroups:read": "View user groups",
    "usergroups:write": "Create and manage user groups",
    "users.profile:read": "View profile details of people",
    "users:read": "View people in the workspace",
    "users:read.email": "View email addresses of people in the workspace",
    "users:write": "Set its own presence",
}

#: The texts before the first colon or dot of known scopes.
_FAMILIES = frozenset(
    {
        *(
            "admin",
            "app_configurations",
            "app_mentions",
            "apps",
            "assistant",
            "auditlogs",
            "authorizations",
            "bookmarks",
        ),
        *(
            "calls",
            "canvases",
            "channels",
            "chat",
            "connections",
            "conversations",
            "datastore",
            "dnd",
            "emoji",
            "files",
        ),
        *(
            "groups",
            "hosting",
            "identify",
            "im",
            "links",
            "lists",
            "metadata",
            "mpim",
            "pins",
            "reactions",
            "remote_files",
        ),
        *("reminders", "search", "stars", "team", "tokens", "triggers", "usergroups", "users", "workflow", "workflows"),
    }
)
_ALONE = frozenset(
    {
        *("admin", "bot", "client", "commands", "email", "identify", "incoming-webhook", "openid", "profile"),
        "tokens.basic",
    }
)
_SIGN_IN = frozenset({"openid", "email", "profile"})
_NOT_FOR_ORGANIZATIONS = frozenset({"bot", "apps.requests:write"})

_FORM = re.compile(r"([a-z_]+)(?:\.[a-z_]+)*:[a-z_]+(?:[.:][a-z_]+)*")


def sentence(scope: str) -> str:
    return _SENTENCES.get(scope, "Use this permission")


def are_acceptable(scopes: list[str]) -> bool:
    """Return False for an unknown scope or for sign-in scopes mixed with others: Slack answers `invalid_scope`."""
    asked = set(scopes)
    sign_in = {scope for scope in asked if scope in _SIGN_IN or scope.startswith("identity.")}
    return all(map(_is_known, asked)) and (not sign_in or sign_in == asked)


def fit_organizations(scopes: list[str]) -> bool:
    return not set(scopes) & _NOT_FOR_ORGANIZATIONS


def _is_known(scope: str) -> bool:
    match = _FORM.fullmatch(scope)
    return scope in _ALONE or scope.startswith("identity.") or (match is not None and match[1] in _FAMILIES)
