"""Write the audit entries of what an event has changed."""

from dataclasses import dataclass
from datetime import datetime

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


def record(rows: Rows, effect: Effect, connection: ChangedConnection, event: EventDetails) -> None:
    """Write the audit entry of one connection, and the event for hosts."""
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
            event=event,
        ),
    )
