"""Each permission as a plain sentence. An integration cannot ask for one that is not here."""

SENTENCES = {
    "app_mentions:read": "See messages that mention the app",
    "assistant:write": "Answer people in the app's own assistant pane",
    "bookmarks:read": "See the bookmarks of channels",
    "bookmarks:write": "Add, change and remove bookmarks of channels",
    "canvases:read": "See canvases in channels where the app has been added",
    "canvases:write": "Create, change and remove canvases",
    "channels:history": "Read messages in public channels where the app has been added",
    "channels:join": "Join public channels that you choose",
    "channels:manage": "Create public channels, and manage those where the app has been added",
    "channels:read": "See the names of public channels",
    "chat:write": "Post messages where the app has been added",
    "chat:write.customize": "Post messages under another name and picture",
    "chat:write.public": "Post messages in public channels without being added first",
    "commands": "Add slash commands",
    "dnd:read": "See when people do not want to be disturbed",
    "emoji:read": "See your workspace's own emoji",
    "files:read": "See files in channels where the app has been added",
    "files:write": "Upload, change and delete files as the app",
    "groups:history": "Read messages in private channels that the app was invited to",
    "groups:read": "See the private channels that the app was invited to",
    "groups:write": "Create private channels, and manage those that the app was invited to",
    "im:history": "Read direct messages that people write to the app",
    "im:read": "See which people have direct messages with the app",
    "im:write": "Begin direct messages with people",
    "incoming-webhook": "Post to one channel that you pick in Slack",
    "links:read": "See links to your product in messages",
    "links:write": "Show previews of links to your product",
    "metadata.message:read": "See the data that apps attach to messages",
    "mpim:history": "Read messages in group direct messages with the app",
    "mpim:read": "See the group direct messages that the app is in",
    "mpim:write": "Begin group direct messages with people",
    "pins:read": "See what is pinned in channels where the app has been added",
    "pins:write": "Pin messages and files, and take them down",
    "reactions:read": "See reactions to messages",
    "reactions:write": "Add reactions to messages, and remove the app's own",
    "team:read": "See your workspace's name, icon and address",
    "usergroups:read": "See the user groups of your workspace",
    "usergroups:write": "Create and change user groups",
    "users.profile:read": "See what people's profiles say",
    "users:read": "See people's names in your workspace",
    "users:read.email": "See people's email addresses in your workspace",
    "users:write": "Show whether the app is online",
}

#: Scopes that people may decline and still connect.
OPTIONAL = frozenset({"chat:write.public", "groups:read", "channels:join", "team:read"})
#: Slack answers it with a webhook, which is kept as a channel endpoint of the subscriber.
INCOMING_WEBHOOK = "incoming-webhook"
DEFAULT = ("chat:write", "channels:read", "chat:write.public", "groups:read")
