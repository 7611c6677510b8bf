"""Encrypt every stored value again with the newest key, while requests are served."""

from collections.abc import Iterator
from dataclasses import dataclass

from onboarding import changes
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.store import installations, sealed_values
from onboarding.store.database import Database, Rows
from onboarding.store.sealed_values import SealedColumn, SealedValue
from onboarding.vault import SealedAt, Vault

#: Values in one transaction. It locks their rows, so it is short.
_BATCH = 100
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
                with self._database.changing_rows() as rows:
                    unreadable += sum(not self._renew(rows, column, one) for one in batch)
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

    def _renew(self, rows: Rows, column: SealedColumn, one: SealedValue) -> bool:
        """Return False if the value cannot be decrypted."""
        sealed_at = SealedAt(column.table, column.column, one.row_id)
        try:
            text = self._vault.open(one.value, sealed_at)
        except VaultProblem:
            return False
        is_replaced = sealed_values.replace(rows, column, one, self._vault.seal(text, sealed_at))
        if is_replaced and column == _REFRESH_TOKENS:
            # Connections with the same refresh token are found by its digest, which is keyed as well.
            newest, *older = self._vault.fingerprints(text)
            installations.renew_fingerprint(rows, one.row_id, older, newest)
        return True
