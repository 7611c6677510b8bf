"""A step is a request or a piece of work that waits at one point when its process is killed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from onboarding.practice.events import signature_headers
from tests import plain_http
from tests.audit import entries
from tests.browser_client import BrowserClient
from tests.crashes.conftest import ACME, Scene
from tests.crashes.gate import Hold

EXCHANGE = "oauth.v2.access"
#: The terms of a link. The second one leaves a choice to the person.
FIXED: Mapping[str, object] = {"subscriber_id": "bea", "mode": "subscriber"}
OFFERED: Mapping[str, object] = {"subscriber_id": "bea", "offered_context_keys": ("team:a", "team:b")}


class Step:
    """A step. Each has a Slack app of its own."""

    #: The method of Slack's that it waits for; with `after`, Slack has done its work.
    method = ""
    after = False
    #: It waits for a lock: from the beginning, or as soon as it no longer waits for Slack.
    is_locked = False

    def __init__(self, scene: Scene, browser: BrowserClient) -> None:
        self.scene, self.browser = scene, browser
        self.name = type(self).__name__
        self.app = scene.add_app(self.name)
        self.prepare()
        self.hold: Hold | None = scene.gate.hold(self.app.client_id, self.method, self.after) if self.method else None

    def prepare(self) -> None:
        """Do what comes before the step."""
        raise NotImplementedError

    def rows(self) -> tuple[str, object]:
        """Return the table and the id of the row that it waits for on PostgreSQL."""
        return "integrations", self.integration_id

    @property
    def integration_id(self) -> object:
        return self.scene.scalar("SELECT id FROM integrations WHERE client_id = :id", id=self.app.client_id)

    def installation_row(self) -> tuple[str, object]:
        query = "SELECT id FROM installations WHERE integration_id = :id"
        return "installations", self.scene.scalar(query, id=self.integration_id)

    def link(self, **terms: object) -> str:
        return self.scene.site.link(self.name, **terms)

    def connect(self, scenario: str = "normal") -> str:
        """Connect a workspace and return the connection's identifier."""
        assert self.browser.connects(self.link(), scenario=scenario).outcome == "connected", self.name
        return self.identifier

    @property
    def identifier(self) -> str:
        """Return the only connection's."""
        (found,) = self.identifiers()
        return found

    def identifiers(self) -> list[str]:
        return self.scene.program.lists(f"integrationIdentifier={self.name}")

    def shown(self, name: str) -> object:
        """Return a member of the only connection."""
        return self.scene.program.asks("GET", f"/v1/channel-connections/{self.identifier}").json().get(name)

    def verified(self) -> str:
        """Let the replica ask Slack about the only connection, and return its status."""
        answer = self.scene.program.asks("POST", f"/v1/channel-connections/{self.identifier}/verify")
        return str(answer.json().get("status", answer.text))

    def count(self, action: str) -> int:
        """Return how often the only connection was changed in this way."""
        found = entries(self.scene.site.runtime.database)
        return sum((one.action, one.subject) == (action, self.identifier) for one in found)

    def installed(self) -> int:
        """Return in how many workspaces Slack has the app."""
        return sum(one.client_id == self.app.client_id for one in self.scene.slack.installations())

    def spent(self) -> list[str]:
        """Return the refresh tokens that Slack has got from the app."""
        return [one.refresh_token for one in self.scene.gate.refreshes if one.client_id == self.app.client_id]

    def event(self, kind: str, **members: object) -> bytes:
        sent = {
            "team_id": ACME,
            "api_app_id": self.app.app_id,
            "event": {"type": kind, **members},
            "type": "event_callback",
            "event_id": f"Ev{self.name}",
            "event_time": int(datetime.now(UTC).timestamp()),
        }
        return json.dumps(sent).encode()

    def deliver(self, body: bytes, web: str, at: float | None = None) -> int:
        """Send an event as Slack does, and return the answer's status. `at`: the time by the web process's clock."""
        at = datetime.now(UTC).timestamp() if at is None else at
        headers = {"Content-Type": "application/json", **signature_headers(self.app.signing_secret, body, at)}
        return plain_http.post(f"{web}/slack/events", content=body, headers=headers, timeout=60).status_code
