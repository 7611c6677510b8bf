"""API callers, each with its own key."""

from typing import Any

import httpx

from tests.browser_client import Site, client_of

INTEGRATION = "slack-prod"


class Program:
    """API caller with one key. Checks that every error response has the documented shape."""

    def __init__(self, site: Site, key: str) -> None:
        self.site, self.key = site, key
        headers = {"Authorization": f"ApiKey {key}"}
        self.client = client_of(site, headers=headers)

    def asks(self, method: str, address: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.request(method, address, json=body, headers=named)
        if answer.status_code >= 400:
            payload = answer.json()
            assert {"statusCode", "timestamp", "path", "message", "error", "code", "requestId"} <= set(payload), payload
            assert payload["statusCode"] == answer.status_code
            assert ("errors" in payload) == (answer.status_code == 422)
        return answer

    def creates(self, **members: Any) -> httpx.Response:
        """Create a connection of the subscriber `ada` in T1, changed by the arguments; None leaves a member out."""
        return self.asks("POST", "/v1/channel-connections", connection(**members))

    def lists(self, query: str = "") -> list[str]:
        answer = self.asks("GET", f"/v1/channel-connections?{query}")
        assert answer.status_code == 200, answer.text
        return [one["identifier"] for one in answer.json()["data"]]


def connection(**members: Any) -> dict[str, Any]:
    whole = {
        "integrationIdentifier": INTEGRATION,
        "subscriberId": "ada",
        "workspace": {"id": "T1", "name": "Acme HQ"},
        "auth": {"accessToken": "token-of-acme-hq"},
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}
