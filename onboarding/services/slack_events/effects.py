"""Write the audit entries of what an event has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onboarding import changes
from onboarding.callers import SLACK
from onboarding.changes import Change, ChangeKind
from onboarding.events import EventDetails
from onboarding.store.connection_changes import ChangedConnection
from onboarding.store.database import Rows


@dataclass(frozen=True)
class Effect:
    """How an event of Slack's has changed connections."""

    kind: ChangeKind
    at: datetime
    #: For the audit log.
    detail: str


def record(rows: Rows, effect: Effect, connection: ChangedConnection, previous: Mapping[str, Any]) -> None:
    """Write the audit entry of one connection, and the event for hosts. `previous`: the members that changed."""
    changes.record(
        rows,
        Change(
            effect.kind,
            SLACK,
            effect.at,
            connection.environment_id,
            connection.identifier,
            subject_name=connection.workspace_name or connection.workspace_id,
            detail=effect.detail,
            event=EventDetails(_cause(effect.kind, effect.detail), previous=previous),
        ),
    )


def _cause(kind: ChangeKind, detail: str) -> str:
    """Return the word that hosts get: the type of Slack's event, or what was renamed."""
    if kind is not ChangeKind.CONNECTION_RENAMED:
        return detail
    return "name_changed" if detail == "name" else "domain_changed"
