"""The audit of one connection: its changes with their actors, and the last read of its token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from onboarding.changes import ChangeKind
from onboarding.services.credential_audit import READ, CredentialKind
from onboarding.store import audit
from onboarding.store.audit import AuditEntry
from onboarding.store.database import Database

#: How many changes are shown.
NEWEST: Final = 20
_CHANGES = frozenset(kind for kind in ChangeKind if kind.startswith("connection."))


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An audit entry. `actor` is written as audit entries store it, such as `operator:ada@example.com`."""

    at: datetime
    action: str
    actor: str
    detail: str


@dataclass(frozen=True, slots=True)
class History:
    #: The newest changes first.
    changes: tuple[HistoryLine, ...]
    #: The last time that a caller of the API read the token; callers that repeat it within an hour count once.
    last_read: HistoryLine | None


class ConnectionHistory:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, environment_id: str, identifier: str) -> History:
        """Return the changes of a connection, also of an earlier one with the same identifier."""
        with self._database.reading() as session:
            changes = audit.of_subject(session, environment_id, identifier, _CHANGES, NEWEST)
            # A channel endpoint may have the same identifier.
            reads = audit.of_subject(session, environment_id, identifier, (READ,), NEWEST)
        read = next((one for one in reads if one.detail == CredentialKind.CONNECTION), None)
        return History(tuple(map(_line, changes)), _line(read) if read else None)


def _line(entry: AuditEntry) -> HistoryLine:
    return HistoryLine(entry.at, entry.action, entry.actor, entry.detail)
