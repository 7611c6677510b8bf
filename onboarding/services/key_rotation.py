"""Encrypt every stored value again with the newest key, while requests are served."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from onboarding import changes
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.sealed import Sealed
from onboarding.store import installations, sealed_values
from onboarding.store.database import Database
from onboarding.store.sealed_values import SealedColumn, SealedValue
from onboarding.vault import SealedAt, Vault

#: Values in one transaction. It locks their rows, on SQLite the whole database, so it is short.
_BATCH = 50
_REFRESH_TOKENS = SealedColumn("installations", "refresh_token")


@dataclass(frozen=True)
class Rotated:
    """The progress of a rotation."""

    #: Handled values, of those that an older key had encrypted at the start.
    done: int
    #: Values that no key of ENCRYPTION_KEYS decrypts. They stay as they are.
    unreadable: int
    #: Values that are encrypted with an older key, counted at the end; 0 before. They include the unreadable ones.
    left: int = 0


class _Renewed(NamedTuple):
    value: Sealed
    #: Of a refresh token: its digests with each key, the newest key's first.
    fingerprints: tuple[str, ...]


class KeyRotation:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def count(self) -> int:
        """Return how many stored values an older key has encrypted."""
        newest, columns = self._vault.newest_key_id, sealed_values.columns()
        with self._database.rows() as rows:
            return sum(sealed_values.count_of_other_keys(rows, column, newest) for column in columns)

    def run(self, actor: Actor) -> Iterator[Rotated]:
        """Encrypt all these values with the newest key. Yields the progress after each batch.

        May be stopped at any time and repeated; a repetition continues. A value that another process changes at the
        same moment keeps the change.
        """
        done = unreadable = 0
        for column in sealed_values.columns():
            after = ""
            while batch := self._next(column, after):
                unreadable += self._renew(column, batch)
                after, done = batch[-1].row_id, done + len(batch)
                yield Rotated(done, unreadable)
        with self._database.changing_rows() as rows:
            detail = f"{done - unreadable} values"
            change = Change(ChangeKind.KEYS_ROTATED, actor, self._now(), None, self._vault.newest_key_id, detail=detail)
            changes.record(rows, change)
        yield Rotated(done, unreadable, self.count())

    def _next(self, column: SealedColumn, after: str) -> list[SealedValue]:
        with self._database.rows() as rows:
            return list(sealed_values.of_other_keys(rows, column, self._vault.newest_key_id, after, _BATCH))

    def _renew(self, column: SealedColumn, batch: list[SealedValue]) -> int:
        """Encrypt the values again in one transaction, and return how many cannot be decrypted."""
        renewed = [(one, self._renewed(column, one)) for one in batch]
        with self._database.changing_rows() as rows:
            began = time.monotonic()
            for one, new in renewed:
                if new is None or not sealed_values.replace(rows, column, one, new.value):
                    continue
                if column == _REFRESH_TOKENS:
                    # Connections with the same refresh token are found by its digest, which is keyed as well.
                    newest, *older = new.fingerprints
                    installations.renew_fingerprint(rows, one.row_id, older, newest)
        # Leave as much time to requests that have waited for the locks.
        time.sleep(time.monotonic() - began)
        return sum(new is None for _, new in renewed)

    def _renewed(self, column: SealedColumn, one: SealedValue) -> _Renewed | None:
        """Return None if the value cannot be decrypted."""
        sealed_at = SealedAt(column.table, column.column, one.row_id)
        try:
            text = self._vault.open(one.value, sealed_at)
        except VaultProblem:
            return None
        fingerprints = self._vault.fingerprints(text) if column == _REFRESH_TOKENS else ()
        return _Renewed(self._vault.seal(text, sealed_at), fingerprints)
