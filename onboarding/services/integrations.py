"""Integrations: one Slack app's credentials each, and where its Slack is."""

import re
import secrets
from collections import Counter
from dataclasses import dataclass, field

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, Refused, unknown_integration
from onboarding.settings import Settings
from onboarding.slack import scopes as known_scopes
from onboarding.store import attempts, audit, connections, environments, erasure
from onboarding.store import integrations as store
from onboarding.store.database import Database
from onboarding.vault import SealedAt, Vault

PRACTICE_PATH = "/practice"
DEFAULT_SCOPES = known_scopes.DEFAULT
KNOWN_SCOPES = tuple(known_scopes.SENTENCES)
_LONGEST_NAME = 100
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,200}\Z")


@dataclass(frozen=True)
class IntegrationSummary:
    identifier: str
    name: str
    is_practice: bool
    #: The name, and the identifier where others of the environment have the same name.
    label: str


@dataclass(frozen=True)
class IntegrationDetail:
    """As the shell lists it: without secrets."""

    identifier: str
    name: str
    client_id: str
    scopes: tuple[str, ...]
    workspace_policy: str
    is_practice: bool


@dataclass(frozen=True)
class Change:
    """What is None stays as it is."""

    client_secret: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] | None = None
    name: str | None = None
    workspace_policy: str | None = None


@dataclass(frozen=True)
class IntegrationRecord:
    """As programs see it: without credentials."""

    id: str
    environment_id: str
    identifier: str
    name: str


@dataclass(frozen=True)
class Registration:
    """What the practice Slack has to know of one of our practice integrations."""

    client_id: str
    client_secret: str
    signing_secret: str
    name: str
    redirect_url: str

    def __repr__(self) -> str:
        return f"Registration({self.client_id})"


class Integrations:
    def __init__(self, database: Database, vault: Vault, settings: Settings, now: Clock) -> None:
        self._database, self._vault, self._settings, self._now = database, vault, settings, now

    def add(
        self,
        identifier: str,
        client_id: str,
        client_secret: str,
        signing_secret: str | None,
        scopes: tuple[str, ...],
        name: str,
        environment: str,
        is_practice: bool = False,
        workspace_policy: str = "allow",
    ) -> None:
        """Raises Refused (a bad value), NotFound (the environment), Conflict (identifier or client id is taken)."""
        if not ids.is_addressable(identifier):
            raise Refused("The identifier has 1 to 255 characters, none that an address cannot carry.", "identifier")
        if not _CLIENT_ID.match(client_id):
            raise Refused("A client id has digits and a dot, such as 1234567890.1234567890.", "client_id")
        _check(Change(client_secret, signing_secret, scopes, name))
        new = ids.new_id("int")
        with self._database.transaction() as session:
            home = environments.by_name(session, environment)
            if home is None:
                raise NotFound(f"There is no environment {environment!r}. `flask --app app setup` makes the first one.")
            if store.by_identifier(session, home.id, identifier) or store.by_client_id(session, client_id):
                raise Conflict(
                    "An integration with this identifier or client id exists. "
                    "One client id belongs to one integration of the whole deployment."
                )
            store.add(
                session,
                store.Integration(
                    id=new,
                    environment_id=home.id,
                    identifier=identifier,
                    name=name,
                    client_id=client_id,
                    client_secret=self._vault.seal(client_secret, SealedAt("integrations", "client_secret", new)),
                    signing_secret=self._vault.seal(signing_secret, SealedAt("integrations", "signing_secret", new))
                    if signing_secret
                    else None,
                    scopes=",".join(scopes),
                    is_practice=is_practice,
                    workspace_policy=workspace_policy,
                    created_at=self._now(),
                ),
            )

    def change(self, environment_id: str, identifier: str, change: Change) -> None:
        """Raises Refused (a bad value), NotFound."""
        _check(change)
        with self._database.transaction() as session:
            found = store.by_identifier(session, environment_id, identifier)
            if found is None:
                raise unknown_integration(identifier)
            if change.client_secret is not None:
                place = SealedAt("integrations", "client_secret", found.id)
                found.client_secret = self._vault.seal(change.client_secret, place)
            if change.signing_secret is not None:
                place = SealedAt("integrations", "signing_secret", found.id)
                found.signing_secret = self._vault.seal(change.signing_secret, place)
            if change.scopes is not None:
                found.scopes = ",".join(change.scopes)
            found.name = change.name or found.name
            found.workspace_policy = change.workspace_policy or found.workspace_policy
            audit.note(session, environment_id, self._now(), "shell", "integration.changed", identifier, "")

    def remove(self, environment_id: str, identifier: str) -> None:
        """With its links and attempts. Raises NotFound, and Conflict while connections live on it or somebody installs."""
        with self._database.transaction() as session:
            found = store.by_identifier(session, environment_id, identifier)
            if found is None:
                raise unknown_integration(identifier)
            store.lock(session, found.id)
            used = len(connections.of_integration(session, found.id))
            if used:
                raise Conflict(f"{used} connection{'s live' if used > 1 else ' lives'} on it. Disconnect first.")
            if attempts.are_under_way(session, found.id):
                # What Slack grants now would never be given back.
                raise Conflict("Somebody is installing it just now. Try again in ten minutes.")
            erasure.erase_integration(session, found.id)
            audit.note(session, environment_id, self._now(), "shell", "integration.removed", identifier, "")

    def add_practice(
        self,
        identifier: str,
        name: str,
        environment: str,
        workspace_policy: str = "allow",
        scopes: tuple[str, ...] = known_scopes.DEFAULT,
    ) -> None:
        """A practice integration, with credentials of its own making. Raises as `add` does."""
        number = f"{secrets.randbelow(10**12):012d}"
        self.add(
            identifier=identifier,
            client_id=f"{number}.{number[::-1]}",
            client_secret=secrets.token_hex(16),
            signing_secret=secrets.token_hex(16),
            scopes=scopes,
            name=name,
            environment=environment,
            is_practice=True,
            workspace_policy=workspace_policy,
        )

    def all_of(self, environment_id: str) -> tuple[IntegrationSummary, ...]:
        with self._database.rows() as rows:
            found = store.names(rows, environment_id)
        times = Counter(one.name for one in found)
        return tuple(
            IntegrationSummary(
                one.identifier,
                one.name,
                one.is_practice,
                f"{one.name} ({one.identifier})" if times[one.name] > 1 else one.name,
            )
            for one in found
        )

    def details(self, environment_id: str) -> tuple[IntegrationDetail, ...]:
        with self._database.reading() as session:
            found = store.all_of(session, environment_id)
        return tuple(
            IntegrationDetail(
                one.identifier,
                one.name,
                one.client_id,
                tuple(one.scopes.split(",")),
                one.workspace_policy,
                one.is_practice,
            )
            for one in found
        )

    def documented(self, environment_id: str) -> tuple[IntegrationRecord, ...]:
        with self._database.reading() as session:
            found = store.all_of(session, environment_id)
        return tuple(IntegrationRecord(one.id, one.environment_id, one.identifier, one.name) for one in found)

    def registration(self, client_id: str) -> Registration | None:
        """For the practice Slack: only practice integrations are told, and only while practice mode is on."""
        if not self.is_practice_on():
            return None
        with self._database.reading() as session:
            found = store.by_client_id(session, client_id)
        if found is None or not found.is_practice:
            return None
        signing = found.signing_secret
        return Registration(
            client_id=client_id,
            client_secret=self._vault.open(found.client_secret, SealedAt("integrations", "client_secret", found.id)),
            signing_secret=self._vault.open(signing, SealedAt("integrations", "signing_secret", found.id))
            if signing
            else "",
            name=found.name,
            redirect_url=self._settings.redirect_uri,
        )

    def is_practice_on(self) -> bool:
        """`auto`: while PUBLIC_URL is loopback and every integration is a practice one."""
        if self._settings.practice == "auto" and self._settings.practice_possible:
            with self._database.reading() as session:
                return not store.any_real(session)
        return self._settings.practice_possible

    def clear_practice(self) -> int:
        """Removes every practice integration, of any environment, with its connections, links and attempts. How many."""
        with self._database.transaction() as session:
            gone = store.all_practice(session)
            for one in gone:
                erasure.erase_integration(session, one.id)
                audit.note(session, one.environment_id, self._now(), "shell", "practice.cleared", one.identifier, "")
        return len(gone)


def _check(change: Change) -> None:
    """Raises Refused."""
    # An empty signing secret would take anybody's word for Slack's (slack.md 1.12).
    if "" in (change.client_secret, change.signing_secret):
        raise Refused("A client secret and a signing secret are not empty.", "client_secret")
    if change.name is not None and not 1 <= len(change.name.strip()) <= _LONGEST_NAME:
        raise Refused(f"The name has 1 to {_LONGEST_NAME} characters.", "name")
    if change.scopes is None:
        return
    if not change.scopes:
        raise Refused("Name at least one scope.", "scopes")
    unknown = [scope for scope in change.scopes if scope not in known_scopes.SENTENCES]
    if unknown:
        raise Refused(f"Unknown scope: {', '.join(unknown)}. Known: {', '.join(known_scopes.SENTENCES)}.", "scopes")
