"""A host's server with an API key, as the tests of connect sessions use it."""

from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import httpx

from tests.browser_client import Site, client_of
from tests.programs import INTEGRATION, Program

SESSIONS = "/v1/connect-sessions"
HOST = "https://app.example"
OTHER_HOST = "https://other.example"
_numbers = count()


class SettableClock(Protocol):
    def forward(self, **by: float) -> None: ...


@dataclass(frozen=True)
class Desk:
    """A host's server with its key. Each test has customers of its own."""

    site: Site
    program: Program
    clock: SettableClock

    def asks(self, **members: Any) -> httpx.Response:
        body = {"integrationIdentifier": INTEGRATION, **members}
        if not members.keys() & {"subscriberId", "context", "offerContexts"}:
            body["subscriberId"] = f"customer-{next(_numbers)}"
        return self.program.asks("POST", SESSIONS, body)

    def creates(self, **members: Any) -> dict[str, Any]:
        answer = self.asks(**members)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def polls(self, session: dict[str, Any], origin: str | None = HOST, token: str | None = None) -> httpx.Response:
        """Ask as the script on the host's page does, not faster than the limit allows."""
        headers = {"Authorization": f"Bearer {token or session['token']}"}
        with client_of(self.site) as browser:
            return browser.get(
                f"{SESSIONS}/{session['id']}", headers=headers if origin is None else {**headers, "Origin": origin}
            )

    def sees(self, session: dict[str, Any]) -> dict[str, Any]:
        """Return the session as the API key sees it."""
        answer = self.program.asks("GET", f"{SESSIONS}/{session['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
