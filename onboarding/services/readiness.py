"""Whether this process can serve: the database answers, and the encryption keys open what is stored in it."""

import time
from collections.abc import Callable

from onboarding.errors import StorageProblem, VaultProblem
from onboarding.sealed import Sealed
from onboarding.store import integrations
from onboarding.store.database import Database
from onboarding.vault import SealedAt, Vault

#: How many secrets are tried. If one opens, the keys are right: a damaged row must not stop the server.
_SAMPLE = 20
_KEYS_REMEMBERED_SECONDS = 10.0
_DATABASE_SILENT = "the database does not answer"
_KEYS_OPEN_NOTHING = "the encryption keys decrypt none of the stored secrets"


class Readiness:
    def __init__(self, database: Database, vault: Vault, practice_is_on: Callable[[], bool]) -> None:
        self._database, self._vault, self._practice_is_on = database, vault, practice_is_on
        #: The last result of the key check, and the monotonic time until which it is used.
        self._keys_open, self._until = True, 0.0

    def fault(self) -> str:
        """Return what keeps this process from serving; empty if nothing does. The key check runs every ten seconds."""
        try:
            self._database.ping()
            if time.monotonic() >= self._until:
                self._keys_open = self.keys_open_secrets()
                self._until = time.monotonic() + _KEYS_REMEMBERED_SECONDS
        except StorageProblem:
            return _DATABASE_SILENT
        return "" if self._keys_open else _KEYS_OPEN_NOTHING

    def keys_open_secrets(self) -> bool:
        """Return False if none of the stored client secrets opens with ENCRYPTION_KEYS. Raises StorageProblem.

        Those of practice integrations count while practice mode is on.
        """
        practice_counts = self._practice_is_on()
        with self._database.reading() as session:
            sealed = integrations.client_secrets(session, _SAMPLE, with_practice=practice_counts)
        return not sealed or any(self._opens(row.id, row.client_secret) for row in sealed)

    def _opens(self, integration_id: str, sealed: Sealed) -> bool:
        try:
            self._vault.open(sealed, SealedAt("integrations", "client_secret", integration_id))
        except VaultProblem:
            return False
        return True
