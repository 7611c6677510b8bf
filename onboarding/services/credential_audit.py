"""The audit of credentials that callers of the API read: one entry per caller, subject and hour."""

import hashlib
from collections import OrderedDict
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

import orjson

from onboarding.callers import ApiCaller
from onboarding.clock import Clock
from onboarding.store import audit
from onboarding.store.database import Database

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: How many entries this process remembers; beyond that, and between processes, the entry's id keeps it unique.
_REMEMBERED = 100_000
#: How long a read waits for other writers of SQLite. On PostgreSQL, `lock_timeout` limits a web process.
_MAX_WAIT_SECONDS = 2.0
#: The action of the entries. All other actions are changes.
READ = "credentials.read"


class CredentialKind(StrEnum):
    CONNECTION = "connection"
    ENDPOINT = "endpoint"


#: The subject of an entry about a list.
_LISTS = {CredentialKind.CONNECTION: "list", CredentialKind.ENDPOINT: "endpoints"}


class CredentialAudit:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now
        self._recorded: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def record(self, caller: ApiCaller, kind: CredentialKind, identifier: str) -> None:
        """Record that `caller` reads one credential. Call it before the credential is returned.

        Raises StorageProblem: a read that cannot be recorded within `_MAX_WAIT_SECONDS` is refused.
        """
        self._record(caller, (kind, identifier), identifier, kind)

    def record_list(self, caller: ApiCaller, kind: CredentialKind, query: "DataclassInstance", count: int) -> None:
        """Record that `caller` reads the credentials of a list. `query`: its filters; None is left out.

        Raises StorageProblem.
        """
        text = orjson.dumps({name: value for name, value in asdict(query).items() if value is not None}).decode()
        self._record(caller, (f"{kind} list", text), _LISTS[kind], f"{text} count={count}")

    def _record(self, caller: ApiCaller, what: tuple[str, ...], subject: str, detail: str) -> None:
        at = self._now()
        # The entry's id is a digest of this, so repeated reads in any process write the same row.
        key = (caller.environment.id, str(caller.actor), at.strftime("%Y-%m-%dT%H"), *what)
        if key in self._recorded:
            return
        entry = audit.NewEntry(
            id=f"aud_{hashlib.sha256(chr(31).join(key).encode()).hexdigest()[:32]}",
            environment_id=caller.environment.id,
            at=at,
            actor=str(caller.actor),
            action=READ,
            subject=subject,
            detail=detail,
        )
        with self._database.transaction(_MAX_WAIT_SECONDS) as session:
            audit.add_once(session, entry)
        self._recorded[key] = None
        if len(self._recorded) > _REMEMBERED:
            self._recorded.popitem(last=False)
