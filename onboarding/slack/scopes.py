"""Each permission as a plain sentence. An integration cannot ask for one that is not here."""

SENTENCES = {
    "chat:write": "Post messages where the app has been added",
    "chat:write.public": "Post messages in public channels without being added first",
    "channels:read": "See the names of public channels",
    "channels:join": "Join public channels that you choose",
    "groups:read": "See the private channels that the app was invited to",
    "team:read": "See your workspace's name, icon and address",
    "users:read": "See people's names in your workspace",
    "users:read.email": "See people's e-mail addresses in your workspace",
    "incoming-webhook": "Post to one channel that you pick in Slack",
    "commands": "Add slash commands",
}

#: What people may decline and still connect.
OPTIONAL = frozenset({"chat:write.public", "groups:read", "channels:join", "team:read"})
DEFAULT = ("chat:write", "channels:read", "chat:write.public", "groups:read")
