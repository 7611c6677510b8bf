"""Practice mode: whether it is on, the apps that the practice Slack knows, and the removal of its data."""

from dataclasses import dataclass, field

from onboarding import changes, ids
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.sealed import Sealed
from onboarding.settings import Settings
from onboarding.store import erasure, integration_locks, integrations, workspace_holders
from onboarding.store.database import Database
from onboarding.vault import SealedAt, Vault

PRACTICE_PATH = "/practice"


@dataclass(frozen=True)
class Registration:
    """The facts of one practice integration that the practice Slack needs."""

    client_id: str
    client_secret: str = field(repr=False)
    signing_secret: str = field(repr=False)
    name: str
    redirect_urls: tuple[str, ...]


class Practice:
    def __init__(self, database: Database, vault: Vault, settings: Settings, now: Clock) -> None:
        self._database, self._vault, self._settings, self._now = database, vault, settings, now

    def is_on(self) -> bool:
        """Return whether practice mode is on.

        With `PRACTICE=auto`: while PUBLIC_URL is a loopback address and every integration is a practice one.
        """
        if self._settings.practice != "auto" or not self._settings.practice_possible:
            return self._settings.practice_possible
        with self._database.reading() as session:
            return self._settings.is_practice_on(integrations.any_real(session))

    def registration(self, client_id: str) -> Registration | None:
        """Return a practice integration's app. None for all others, and while practice mode is off."""
        if not self.is_on():
            return None
        with self._database.reading() as session:
            found = integrations.by_client_id(session, client_id)
        if found is None or not found.is_practice:
            return None
        return Registration(
            client_id=client_id,
            client_secret=self._opened("client_secret", found.id, found.client_secret),
            signing_secret=self._opened("signing_secret", found.id, found.signing_secret)
            if found.signing_secret
            else "",
            name=found.name,
            redirect_urls=(self._settings.redirect_uri, self._settings.sign_in_redirect_uri),
        )

    def workspace_name(self, client_id: str, workspace_id: str) -> str | None:
        """Return the name, else the id, of a workspace that a practice integration is connected to, else None."""
        with self._database.reading() as session:
            found = integrations.by_client_id(session, client_id)
            if found is None or not found.is_practice:
                return None
            return workspace_holders.name_of_workspace(session, found.id, workspace_id)

    def _opened(self, column: str, integration_id: str, sealed: Sealed) -> str:
        """Return the secret. If it cannot be decrypted, return one that nobody knows: calls with a token need none."""
        try:
            return self._vault.open(sealed, SealedAt("integrations", column, integration_id))
        except VaultProblem:
            return ids.new_secret()

    def clear(self, actor: Actor) -> int:
        """Remove the practice integrations of all environments with their connections, links and attempts.

        Return how many integrations there were.
        """
        with self._database.transaction() as session:
            found = integrations.all_practice(session)
            for one in found:
                # Before the rows that an install in progress has locked.
                integration_locks.lock(session, one.id)
                kind, at = ChangeKind.PRACTICE_CLEARED, self._now()
                changes.record(session, Change(kind, actor, at, one.environment_id, one.identifier, one.name))
                erasure.erase_integration(session, one.id)
        return len(found)
