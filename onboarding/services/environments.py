"""Environments, and setting up a deployment."""

from dataclasses import dataclass
from pathlib import Path

from onboarding import changes, ids
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotSetUp, Refused, StorageProblem, unknown_environment
from onboarding.store import environments as store
from onboarding.store import schema
from onboarding.store.database import Database, Session

FIRST = "Development"


@dataclass(frozen=True)
class EnvironmentSummary:
    id: str
    name: str


@dataclass(frozen=True)
class EnvironmentSettings:
    id: str
    name: str
    #: Whether to `create` or `refuse` an unknown subscriber that an API caller names.
    unknown_subscribers: str


class Environments:
    def __init__(self, database: Database, migrations: Path, now: Clock) -> None:
        self._database, self._migrations, self._now = database, migrations, now
        #: The oldest environment is never removed and never renamed, so it can be cached.
        self._first: EnvironmentSummary | None = None

    def set_up(self, actor: Actor) -> EnvironmentSummary:
        """Migrate the database to the newest version and create the first environment. Safe to repeat."""
        schema.upgrade(self._database, self._migrations)
        with self._database.transaction() as session:
            found = store.first(session)
            if found is not None:
                return EnvironmentSummary(found.id, found.name)
            return self._create(session, FIRST, actor)

    def first(self) -> EnvironmentSummary:
        """Return the oldest environment, which the console and the commands use by default. Raises NotSetUp."""
        if self._first is None:
            with self._database.reading() as session:
                found = store.first(session)
            if found is None:
                raise NotSetUp("The database has no environment.")
            self._first = EnvironmentSummary(found.id, found.name)
        return self._first

    def named(self, name: str) -> EnvironmentSummary:
        """Return the environment with this name. Raises NotFound."""
        with self._database.reading() as session:
            found = store.named(session, name)
        return EnvironmentSummary(found.id, found.name)

    def by_id(self, environment_id: str) -> EnvironmentSummary:
        """Return the environment with this id. Raises NotFound."""
        with self._database.reading() as session:
            found = store.by_id(session, environment_id)
        if found is None:
            raise unknown_environment(environment_id)
        return EnvironmentSummary(found.id, found.name)

    def list_all(self) -> tuple[EnvironmentSettings, ...]:
        with self._database.rows() as rows:
            found = store.all_of(rows)
        return tuple(EnvironmentSettings(one.id, one.name, one.unknown_subscribers) for one in found)

    def add(self, name: str, actor: Actor) -> EnvironmentSummary:
        """Create an environment. Raises Refused for an invalid name, Conflict if the name is taken."""
        if not name.strip() or name != name.strip() or len(name) > 100 or not name.isprintable():
            sentence = "An environment's name must have 1 to 100 printable characters and no space at either end."
            raise Refused(sentence, "name")
        with self._database.transaction() as session:
            if store.by_name(session, name) is not None:
                raise Conflict(f"An environment named {name!r} already exists.")
            return self._create(session, name, actor)

    def set_unknown_subscribers(self, name: str, policy: str, actor: Actor) -> None:
        """Set the policy for unknown subscribers, `create` or `refuse`. Raises NotFound."""
        with self._database.transaction() as session:
            row = store.named(session, name)
            row.unknown_subscribers = policy
            kind, detail = ChangeKind.ENVIRONMENT_CHANGED, f"unknown_subscribers={policy}"
            changes.record(session, Change(kind, actor, self._now(), row.id, row.id, name, detail=detail))

    def is_ready(self) -> bool:
        """Return whether the database answers and has the tables of this version."""
        try:
            return self._database.is_ready() and schema.is_current(self._database, self._migrations)
        except StorageProblem:
            return False

    def _create(self, session: Session, name: str, actor: Actor) -> EnvironmentSummary:
        row = store.Environment(id=ids.new_id("env"), name=name, created_at=self._now())
        store.add(session, row)
        kind = ChangeKind.ENVIRONMENT_ADDED
        changes.record(session, Change(kind, actor, row.created_at, row.id, row.id, name))
        return EnvironmentSummary(row.id, name)
