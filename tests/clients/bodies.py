"""Bodies that most tests start from. Each test adds the members that it is about."""

from typing import Any

WORKSPACE = {"id": "T123456", "name": "Acme HQ"}
AUTH = {"accessToken": "Workspace access token"}
#: Request of the reference page.
REFERENCE = {
    "identifier": "slack-prod-user123-abc4",
    "subscriberId": "subscriber-123",
    "context": {"key": "org-acme"},
    "connectionMode": "shared",
    "integrationIdentifier": "slack-prod",
    "workspace": WORKSPACE,
    "auth": AUTH,
}


def connection(**given: Any) -> dict[str, Any]:
    """Return a connection for the subscriber `bea`, unless `given` has a subscriber or a context."""
    owner = {} if {"subscriberId", "context"} & set(given) else {"subscriberId": "bea"}
    return {"integrationIdentifier": "slack-prod", "workspace": WORKSPACE, "auth": AUTH, **owner, **given}


def endpoint(**given: Any) -> dict[str, Any]:
    """Return a channel of `bea`'s."""
    return {
        "subscriberId": "bea",
        "integrationIdentifier": "slack-prod",
        "type": "slack_channel",
        "endpoint": {"channelId": "C024BE91L"},
        **given,
    }


def within(found: Any, expected: Any) -> bool:
    """Return whether `found` contains all of `expected`; it may have more members, but its lists are as long."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and within(found[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(within(one, other) for one, other in zip(found, expected, strict=True))
        )
    return bool(found == expected)
