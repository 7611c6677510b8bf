"""The audit of credentials that programs read: once per key, connection and hour, so that a read stays a read."""

import hashlib
from collections import OrderedDict
from datetime import datetime

from onboarding.clock import Clock
from onboarding.store import audit
from onboarding.store.database import Database

#: Remembered in the process; beyond that the entry's own id keeps it single.
_REMEMBERED = 100_000


class CredentialAudit:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now
        self._noted: OrderedDict[str, None] = OrderedDict()

    def note(self, environment_id: str, actor: str, subject: str, detail: str = "") -> None:
        """`subject`: a connection's identifier, or `list` with the filter and count as its detail. Raises StorageProblem.

        Who cannot be written down does not get to read.
        """
        at = self._now()
        entry_id = _entry_id(environment_id, actor, subject, detail.partition(" ")[0], at)
        if entry_id in self._noted:
            return
        with self._database.transaction() as session:
            entry = audit.NewEntry(entry_id, environment_id, at, actor, "credentials.read", subject, detail=detail)
            audit.add_once(session, entry)
        self._noted[entry_id] = None
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)


def _entry_id(environment_id: str, actor: str, subject: str, narrowed: str, at: datetime) -> str:
    told = "\x1f".join((environment_id, actor, subject, narrowed, at.strftime("%Y-%m-%dT%H")))
    return f"aud_{hashlib.sha256(told.encode()).hexdigest()[:32]}"
