"""Read channel connections from Onboarding for Slack.

For servers only: the API key needs the scopes `connections:read`, `connections:write` and `connections:secrets`, and
must never reach a browser.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

#: A token that expires sooner is refreshed before its use.
EXPIRES_SOON = timedelta(minutes=5)

Connection = dict[str, Any]


class ConnectionsApi:
    def __init__(self, url: str, api_key: str, integration: str) -> None:
        """Args: url: the server's address, such as https://connect.example.com. integration: the identifier there."""
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"ApiKey {api_key}"}, timeout=10)
        self._integration = integration

    def of_workspace(self, workspace_id: str) -> Connection | None:
        """Return the newest connection of a workspace or an Enterprise organization, with a token that works now."""
        return self._first(workspaceId=workspace_id)

    def of_subscriber(self, subscriber_id: str) -> Connection | None:
        """Return the newest connection of one of your customers, with a token that works now."""
        return self._first(subscriberId=subscriber_id, connectionMode="subscriber")

    def verify(self, identifier: str) -> Connection:
        """Let the server refresh the token, or ask Slack whether it works. Raises HTTPStatusError if Slack is down."""
        answer = self._client.post(f"/v1/channel-connections/{identifier}/verify")
        connection: Connection = answer.raise_for_status().json()
        return connection

    def _first(self, **filters: str) -> Connection | None:
        query = {"integrationIdentifier": self._integration, "limit": "1", **filters}
        found = self._client.get("/v1/channel-connections", params=query).raise_for_status().json()["data"]
        if not found:
            return None
        connection: Connection = found[0]
        if _expires_soon(connection):
            connection = self.verify(connection["identifier"])
        # Slack has ended the access: send the customer a link to reconnect.
        return None if connection["status"] in ("needs_reconnect", "disconnected") else connection


def _expires_soon(connection: Connection) -> bool:
    expires_at = connection["auth"].get("expiresAt")
    return expires_at is not None and datetime.fromisoformat(expires_at) - datetime.now(UTC) < EXPIRES_SOON
