"""Each permission as a plain sentence. The list is Slack's, for bots and for people: https://docs.slack.dev/reference/scopes

A scope that is not listed may be newer than the list, and is accepted if it is written like one.
"""

import re
from collections.abc import Sequence

from onboarding.errors import Refused

SENTENCES = {
    "admin": "Administer the workspace",
    "admin.analytics:read": "See statistics of the organization",
    "admin.app_activities:read": "See what apps did in the organization",
    "admin.apps:read": "See the workspace's apps and the requests for apps",
    "admin.apps:write": "Approve, restrict and remove the workspace's apps",
    "admin.barriers:read": "See which groups of people may not communicate",
    "admin.barriers:write": "Decide which groups of people may not communicate",
    "admin.chat:read": "Read messages in conversations as an admin",
    "admin.chat:write": "Delete, restore and change messages as an admin",
    "admin.conversations:manage_objects": "Manage channels that belong to records of other products",
    "admin.conversations:read": "See the organization's channels and their members",
    "admin.conversations:write": "Create and change the organization's channels",
    "admin.invites:read": "See requests to invite people",
    "admin.invites:write": "Approve and decline requests to invite people",
    "admin.roles:read": "See which people have which admin role",
    "admin.roles:write": "Assign and remove admin roles",
    "admin.teams:read": "See the organization's workspaces",
    "admin.teams:write": "Create and change workspaces of the organization",
    "admin.usergroups:read": "See the organization's user groups",
    "admin.usergroups:write": "Change the organization's user groups",
    "admin.users:read": "See all accounts of the organization",
    "admin.users:write": "Invite, change and remove accounts of the organization",
    "admin.workflows:read": "See the organization's workflows",
    "admin.workflows:write": "Manage the organization's workflows",
    "app_configurations:read": "See how apps are configured",
    "app_configurations:write": "Create apps and change how they are configured",
    "app_mentions:read": "See messages that mention the app",
    "apps.requests:write": "Request apps for the workspace",
    "assistant:write": "Answer people in the app's own assistant pane",
    "auditlogs:read": "See the organization's audit log",
    "authorizations:read": "See for which people and workspaces the app gets an event",
    "bookmarks:read": "See the bookmarks of channels",
    "bookmarks:write": "Add, change and remove bookmarks of channels",
    "bot": "Add a bot that people can message and mention",
    "calls:read": "See current and past calls",
    "calls:write": "Start and manage calls",
    "canvases:read": "See canvases in channels where the app has been added",
    "canvases:write": "Create, change and remove canvases",
    "channels:history": "Read messages in public channels where the app has been added",
    "channels:join": "Join public channels that you choose",
    "channels:manage": "Create public channels, and manage those where the app has been added",
    "channels:read": "See the names of public channels",
    "channels:write": "Create and manage public channels for you",
    "channels:write.invites": "Invite people to public channels",
    "channels:write.topic": "Set the topic and description of public channels",
    "chat:write": "Post messages where the app has been added",
    "chat:write.customize": "Post messages under another name and picture",
    "chat:write.public": "Post messages in public channels without being added first",
    "client": "Receive all events of the workspace that you can see",
    "commands": "Add slash commands",
    "connections:write": "Receive Slack's events over an open connection",
    "conversations.connect:manage": "Manage channels that are shared with other companies",
    "conversations.connect:read": "See invitations to channels that are shared with other companies",
    "conversations.connect:write": "Invite other companies to shared channels",
    "conversations:history": "Read messages in all conversations where the app has been added",
    "conversations:read": "See the names of conversations where the app has been added",
    "conversations:write": "Create and manage conversations",
    "conversations:write.invites": "Invite people to conversations",
    "conversations:write.topic": "Set the topic and description of conversations",
    "datastore:read": "Read data that the app keeps in Slack",
    "datastore:write": "Keep data of the app in Slack",
    "dnd:read": "See when people do not want to be disturbed",
    "dnd:write": "Decide for you when you do not want to be disturbed",
    "email": "See your email address",
    "emoji:read": "See your workspace's own emoji",
    "files:read": "See files in channels where the app has been added",
    "files:write": "Upload, change and delete files as the app",
    "groups:history": "Read messages in private channels that the app was invited to",
    "groups:read": "See the private channels that the app was invited to",
    "groups:write": "Create private channels, and manage those that the app was invited to",
    "groups:write.invites": "Invite people to private channels",
    "groups:write.topic": "Set the topic and description of private channels",
    "hosting:read": "See apps that run on Slack's servers",
    "hosting:write": "Manage apps that run on Slack's servers",
    "identify": "See your name and workspace",
    "identity.avatar": "See your profile picture",
    "identity.basic": "See your name",
    "identity.email": "See your email address",
    "identity.team": "See your workspace's name",
    "im:history": "Read direct messages that people write to the app",
    "im:read": "See which people have direct messages with the app",
    "im:write": "Begin direct messages with people",
    "im:write.topic": "Set the description of direct messages",
    "incoming-webhook": "Post to one channel that you pick in Slack",
    "links.embed:write": "Show videos and other embedded content in messages",
    "links:read": "See links to your product in messages",
    "links:write": "Show previews of links to your product",
    "lists:read": "See lists and their items",
    "lists:write": "Create, change and remove lists and their items",
    "metadata.message:read": "See the data that apps attach to messages",
    "mpim:history": "Read messages in group direct messages with the app",
    "mpim:read": "See the group direct messages that the app is in",
    "mpim:write": "Begin group direct messages with people",
    "mpim:write.invites": "Invite people to group direct messages",
    "mpim:write.topic": "Set the description of group direct messages",
    "openid": "Confirm your identity",
    "pins:read": "See what is pinned in channels where the app has been added",
    "pins:write": "Pin messages and files, and take them down",
    "profile": "See your name and profile picture",
    "reactions:read": "See reactions to messages",
    "reactions:write": "Add reactions to messages, and remove the app's own",
    "reminders:read": "See reminders that the app has set",
    "reminders:write": "Set, change and complete reminders",
    "remote_files:read": "See files of other services that were added to Slack",
    "remote_files:share": "Share files of other services in conversations",
    "remote_files:write": "Add, change and remove files of other services",
    "search:read": "Search messages and files that you can see",
    "search:read.enterprise": "Search content of the whole organization that you can see",
    "search:read.files": "Search files",
    "search:read.im": "Search your direct messages",
    "search:read.mpim": "Search your group direct messages",
    "search:read.private": "Search private channels",
    "search:read.public": "Search public channels",
    "search:read.users": "Search for people",
    "stars:read": "See what you have starred",
    "stars:write": "Add and remove stars for you",
    "team.billing:read": "See your workspace's plan and billing",
    "team.preferences:read": "See your workspace's settings",
    "team:read": "See your workspace's name, icon and address",
    "tokens.basic": "Use Slack's methods that need no permission",
    "triggers:read": "See what starts the app's workflows",
    "triggers:write": "Decide what starts the app's workflows",
    "usergroups:read": "See the user groups of your workspace",
    "usergroups:write": "Create and change user groups",
    "users.profile:read": "See what people's profiles say",
    "users.profile:write": "Change your profile and your status",
    "users:read": "See people's names in your workspace",
    "users:read.email": "See people's email addresses in your workspace",
    "users:write": "Show whether the app is online",
    "workflow.steps:execute": "Add steps to workflows",
    "workflows.templates:read": "See templates of workflows",
    "workflows.templates:write": "Create and change templates of workflows",
}
#: For a scope that Slack has added since. Pages show the scope's name beside it.
OTHER = "Use a permission that Slack describes on its own page"
PATTERN = r"^[a-z][a-z0-9_-]*([.:][a-z0-9_-]+)*$"
MAX_LENGTH = 100

#: Scopes that people may decline and still connect.
OPTIONAL = frozenset({"chat:write.public", "groups:read", "channels:join", "team:read"})
#: Slack answers it with a webhook, which is kept as a channel endpoint of the subscriber.
INCOMING_WEBHOOK = "incoming-webhook"
DEFAULT = ("chat:write", "channels:read", "chat:write.public", "groups:read")


def is_scope(text: str) -> bool:
    """Return whether this is written like a scope. Only Slack knows whether it is one."""
    return len(text) <= MAX_LENGTH and "\n" not in text and re.match(PATTERN, text) is not None


def check(scopes: Sequence[str]) -> None:
    """Check that there is a scope, and that each is written like one. Raises Refused."""
    if not scopes:
        raise Refused("Name at least one scope.", "scopes")
    malformed = [scope for scope in scopes if not is_scope(scope)]
    if malformed:
        raise Refused(f"A scope is written like chat:write or users:read.email, not {', '.join(malformed)}.", "scopes")


def sentence(scope: str) -> str:
    return SENTENCES.get(scope, OTHER)


def split(text: str) -> tuple[str, ...]:
    """Return the scopes of a column, which holds them comma separated."""
    return tuple(filter(None, text.split(",")))
