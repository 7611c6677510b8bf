"""Write the audit entries of what an event has changed."""

from datetime import datetime

from onboarding import changes
from onboarding.callers import SLACK
from onboarding.changes import Change, ChangeKind
from onboarding.events import EventDetails
from onboarding.store.connection_changes import ChangedConnection
from onboarding.store.database import Rows


def record(rows: Rows, kind: ChangeKind, connection: ChangedConnection, at: datetime, detail: str) -> None:
    """Write the audit entry of one connection that an event has changed."""
    changes.record(
        rows,
        Change(
            kind,
            SLACK,
            at,
            connection.environment_id,
            connection.identifier,
            subject_name=connection.workspace_name or connection.workspace_id,
            detail=detail,
            event=EventDetails(_cause(kind, detail)),
        ),
    )


def _cause(kind: ChangeKind, detail: str) -> str:
    """Return the word that hosts get: the type of Slack's event, or what was renamed."""
    if kind is not ChangeKind.CONNECTION_RENAMED:
        return detail
    return "name_changed" if detail == "name" else "domain_changed"
