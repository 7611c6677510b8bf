"""Fill a practice integration with made-up connections of every kind, so that the list can be tried."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import Refused
from onboarding.identity import identity_key
from onboarding.outcomes import ConnectionStatus
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import connection_changes, contexts, environments, installations, integrations, subscribers
from onboarding.store.database import Database, Rows
from onboarding.store.integrations import Integration

_BATCH = 500
_random = secrets.SystemRandom()
_FIRST = (
    "Acme",
    "Northern",
    "Blue",
    "Harbor",
    "Silver",
    "Maple",
    "Granite",
    "Lumen",
    "Atlas",
    "Nordic",
    "Sakura",
    "Ünal",
)
_SECOND = (
    "Design",
    "Legal",
    "Logistics",
    "Foods",
    "Robotics",
    "Energy",
    "Travel",
    "Health",
    "Media",
    "Tools",
    "東京",
    "💡 Lab",
)
_LAST = ("", " GmbH", " Inc.", " Group", " & Daughters", " Europe", " North America and Pacific Operations")
_REGIONS = ("region:eu", "region:us", "region:apac")
_SCOPES = ("chat:write", "channels:read", "groups:read", "users:read", "users:read.email")


class _State(NamedTuple):
    """How often connections are in this state, and why."""

    weight: int
    status: ConnectionStatus
    reason: str | None
    was_checked: bool = True


_STATES = (
    _State(900, ConnectionStatus.HEALTHY, None),
    _State(40, ConnectionStatus.UNKNOWN, None, was_checked=False),
    _State(
        30, ConnectionStatus.NEEDS_RECONNECT, "Somebody removed the app from the workspace, or Slack revoked the token."
    ),
    _State(15, ConnectionStatus.NEEDS_RECONNECT, "The Slack account that installed the app was deactivated."),
    _State(10, ConnectionStatus.UNREACHABLE, "Slack has not answered for an hour."),
    _State(5, ConnectionStatus.DISCONNECTED, "The app was removed from the workspace."),
)


class DemoConnections:
    def __init__(self, database: Database, tokens: Tokens, practice_is_on: Callable[[], bool], now: Clock) -> None:
        self._database, self._tokens, self._practice_is_on, self._now = database, tokens, practice_is_on, now

    def create(self, environment: str, count: int) -> Iterator[int]:
        """Add made-up connections to an environment's first practice integration. Yield their number after each batch.

        Raises NotFound for the environment, and Refused outside practice mode, before anything is added.
        """
        if not self._practice_is_on():
            raise Refused("Made-up connections are for practice mode only.", code="practice_only")
        with self._database.reading() as session:
            found = environments.named(session, environment)
            practice = [one for one in integrations.all_practice(session) if one.environment_id == found.id]
        if not practice:
            raise Refused(f"There is no practice integration in the environment '{environment}'.", code="practice_only")
        return self._create(practice[0], count)

    def _create(self, integration: Integration, count: int) -> Iterator[int]:
        for done in range(0, count, _BATCH):
            size = min(_BATCH, count - done)
            with self._database.changing_rows() as rows:
                self._add(rows, integration, [self._customer() for _ in range(size)])
            yield done + size

    def _add(self, rows: Rows, integration: Integration, customers: list["_Customer"]) -> None:
        environment_id, at = integration.environment_id, self._now()
        subscribers.add_missing(rows, environment_id, [one.subscriber_id for one in customers if one.subscriber_id], at)
        contexts.add_missing(rows, environment_id, [key for one in customers for key in one.context_keys], at)
        given = [self._installation(integration, one) for one in customers]
        made = [
            (one.context_keys, self._connection(integration, one, str(grant["id"])))
            for one, grant in zip(customers, given, strict=True)
        ]
        used = {connection["installation_id"] for _keys, connection in made}
        installations.add_many(rows, [one for one in given if one["id"] in used])
        connection_changes.add_many(rows, made)

    def _customer(self) -> "_Customer":
        number = ids.new_id("c", 8)
        name = f"{_random.choice(_FIRST)} {_random.choice(_SECOND)}{_random.choice(_LAST)}"
        at = self._now() - timedelta(minutes=_random.randrange(3 * 365 * 24 * 60))
        slug = f"{name.split()[0].lower()}-{number[2:]}"
        if _random.random() < 0.2:
            return _Customer(name, None, (f"tenant:{number}",), at)
        keys = (_random.choice(_REGIONS),) if _random.random() < 0.3 else ()
        return _Customer(name, slug, keys, at)

    def _installation(self, integration: Integration, customer: "_Customer") -> dict[str, object]:
        row_id = ids.new_id("ins")
        return {
            "id": row_id,
            "environment_id": integration.environment_id,
            "integration_id": integration.id,
            "origin": "api",
            "slack_key": f"api:{row_id}",
            "scopes": ",".join(_SCOPES),
            "token_since": customer.created_at,
            **self._tokens.sealed(row_id, f"xoxb-made-up-{row_id}", None, None, customer.created_at),
            "check_at": None,
        }

    def _connection(self, integration: Integration, customer: "_Customer", installation_id: str) -> dict[str, object]:
        (state,) = _random.choices(_STATES, weights=[one.weight for one in _STATES])
        checked = customer.created_at + (self._now() - customer.created_at) * _random.random()
        return {
            "id": ids.new_id("con"),
            "environment_id": integration.environment_id,
            "identifier": ids.connection_identifier(),
            "integration_id": integration.id,
            "installation_id": None if state.status is ConnectionStatus.DISCONNECTED else installation_id,
            "identity_key": identity_key(integration.id, customer.subscriber_id, customer.context_keys),
            "mode": "subscriber" if customer.subscriber_id else "shared",
            "subscriber_id": customer.subscriber_id,
            "workspace_id": f"T0{ids.new_id('', 8)[1:].upper()}",
            "workspace_name": customer.workspace_name if _random.random() < 0.98 else None,
            "status": state.status,
            "status_reason": state.reason,
            "checked_at": checked if state.was_checked else None,
            "created_at": customer.created_at,
            "updated_at": customer.created_at,
        }


class _Customer(NamedTuple):
    workspace_name: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    created_at: datetime
