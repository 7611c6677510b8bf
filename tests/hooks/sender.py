"""Slack, as the sender of signed events."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from itertools import count
from typing import Any

import httpx
from sqlalchemy import text

from onboarding.practice.events import signature_headers
from onboarding.practice.registration import slack_id
from tests.browser_client import Site, client_of

ACME = "T0ACMEHQ01"
_numbers = count(1)


class Sender:
    """Sends events of one practice app, signed with its secret."""

    def __init__(
        self,
        site: Site,
        now: Callable[[], datetime],
        integration: str = "slack-practice",
        client: httpx.Client | None = None,
    ) -> None:
        """Args: client: the connection to the product; a new one for each request by default."""
        self.site, self._now, self._client = site, now, client
        environment_id = site.runtime.environments.first().id
        [app] = [one for one in site.runtime.integrations.all_of(environment_id) if one.identifier == integration]
        registration = site.runtime.practice.registration(app.client_id)
        assert registration is not None
        self.secret, self.client_id = registration.signing_secret, app.client_id

    def event(self, kind: str, team: str | None = ACME, at: datetime | None = None, **members: Any) -> dict[str, Any]:
        """Return an event with an id of its own. `at`: when it happened, now by default."""
        return {
            "team_id": team,
            "enterprise_id": None,
            "api_app_id": slack_id("A", self.client_id),
            "event": {"type": kind, **members},
            "type": "event_callback",
            "event_id": f"Ev{next(_numbers):08d}",
            "event_time": int((at or self._now()).timestamp()),
        }

    def sends(self, sent: dict[str, Any] | bytes, secret: str | None = None, **headers: str | bytes) -> httpx.Response:
        body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        signed = signature_headers(secret or self.secret, body, self._now().timestamp())
        named = {"Content-Type": "application/json", **signed, **headers}
        encoded = [(name.replace("_", "-").encode(), _bytes(value)) for name, value in named.items()]
        with nullcontext(self._client) if self._client else client_of(self.site) as slack:
            return slack.post("/slack/events", content=body, headers=encoded)

    def delivers(self, *sent: dict[str, Any]) -> None:
        """Send events that are accepted, and handle them as the worker does."""
        for one in sent:
            answer = self.sends(one)
            assert (answer.status_code, answer.text) == (200, "")
            works(self.site)


def works(site: Site) -> None:
    """Handle the events that wait, each once."""
    with site.runtime.database.engine.connect() as connection:
        query = text("SELECT id FROM slack_events WHERE handled_at IS NULL ORDER BY received_at")
        waiting = connection.scalars(query).all()
    for event_row_id in waiting:
        site.runtime.slack_events.handle(event_row_id)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
