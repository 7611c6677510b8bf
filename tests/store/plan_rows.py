"""Rows of each table whose statements the tests of query plans look at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from onboarding import search_words
from onboarding.identity import context_digest
from onboarding.outcomes import Outcome
from onboarding.sealed import Sealed
from onboarding.store import (
    attempts,
    audit,
    connections,
    environments,
    installations,
    integrations,
)
from onboarding.store.attempts import Stage
from onboarding.store.connection_words import ConnectionWord
from onboarding.store.database import Session, table_of

ROWS = 6000
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def fill(session: Session) -> None:
    sealed = Sealed("0" * 12, b"never opened")
    environments.add(session, environments.Environment(id="env_1", name="Development", created_at=NOON))
    for number in (1, 2):
        one = integrations.Integration(
            id=f"int_{number}",
            environment_id="env_1",
            identifier=f"slack-{number}",
            name="Northwind",
            client_id=f"{number}.1",
            client_secret=sealed,
            scopes="",
            is_practice=True,
            workspace_policy="allow",
            created_at=NOON,
        )
        integrations.add(session, one)
    given = {"environment_id": "env_1", "integration_id": "int_1", "access_token": sealed, "token_last_four": ""}
    installations.add_sent(session, id="ins_1", slack_key="api:1", refresh_token=None, token_since=NOON, **given)
    rows = [row(number) for number in range(ROWS)]
    session.execute(insert(table_of(connections.ChannelConnection)), rows)
    session.execute(insert(table_of(ConnectionWord)), [word for one in rows for word in words(one)])
    held = {"region:eu": rows, "tenant:t3": rows[::40]}
    own = {"environment_id": "env_1", "position": 0}
    keys = [{**own, "connection_id": one["id"], "key": key} for key in held for one in held[key]]
    session.execute(insert(connections.CONNECTION_CONTEXTS), keys)
    session.execute(insert(attempts.TABLE), [_attempt(number) for number in range(ROWS // 3)])
    session.execute(insert(table_of(audit.AuditEntry)), [_entry(number) for number in range(ROWS // 3)])


def _attempt(number: int) -> dict[str, Any]:
    at = NOON + timedelta(minutes=number)
    return {
        "id": f"att_{number:06d}",
        "environment_id": "env_1",
        "integration_id": "int_1",
        "state_digest": f"{number:064d}",
        "binding_digest": "",
        "redirect_uri": "",
        "scopes": "",
        "may_replace": False,
        "stage": Stage.FINISHED,
        "outcome": Outcome.CONNECTED if number % 3 else Outcome.CANCELLED,
        "created_at": at,
        "expires_at": at,
        "finished_at": at,
        "connection_identifier": f"c{number % 1000}",
    }


def _entry(number: int) -> dict[str, Any]:
    """Return an audit entry: most are the system's, few have a name."""
    return {
        "id": f"aud_{number:06d}",
        "environment_id": "env_1",
        "at": NOON + timedelta(minutes=number),
        "actor": f"key:key_{number}" if number < 10 else "system" if number % 9 else "operator:ada@northwind.test",
        "action": "connection.updated",
        "subject": f"c{number}",
        "subject_name": f"Acme {number}" if number < 10 else None,
        "detail": "",
    }


def words(one: dict[str, Any]) -> list[dict[str, str]]:
    texts = one["workspace_name"], one["subscriber_id"], one["identifier"], one["workspace_id"]
    key = {"connection_id": one["id"], "environment_id": "env_1"}
    return [{**key, "word": word} for word in search_words.split(*texts)]


def row(number: int) -> dict[str, Any]:
    keys = [f"tenant:t{number % 40}"] if number % 3 else []
    at = NOON + timedelta(seconds=number)
    return {
        "id": f"con_{number:06d}",
        "environment_id": "env_1",
        "identifier": f"c{number}",
        "integration_id": f"int_{1 + (number % 9 == 0)}",
        "installation_id": "ins_1",
        "identity_key": f"{number:064d}",
        "mode": "subscriber" if number % 5 else "shared",
        "subscriber_id": f"s{number % 800}" if number % 5 else None,
        "workspace_id": f"T{number % 700}",
        "workspace_name": f"Acme {number}",
        "sort_name": f"acme {number}",
        "status": "needs_reconnect" if number % 50 == 0 else "healthy",
        "created_at": at,
        "updated_at": at,
        "context_keys": str(keys).replace("'", '"'),
        "context_digest": context_digest(keys),
    }
