"""Environments, and bringing a deployment to life."""

from dataclasses import dataclass
from pathlib import Path

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, Refused
from onboarding.store import environments as store
from onboarding.store import schema
from onboarding.store.database import Database

FIRST = "Development"


@dataclass(frozen=True)
class EnvironmentSummary:
    id: str
    name: str


@dataclass(frozen=True)
class EnvironmentSettings:
    id: str
    name: str
    #: `create` or `refuse`: what happens when a program names a subscriber that is not there.
    unknown_subscribers: str


class Environments:
    def __init__(self, database: Database, migrations: Path, now: Clock) -> None:
        self._database, self._migrations, self._now = database, migrations, now
        #: The oldest environment is never removed and never renamed.
        self._first: EnvironmentSummary | None = None

    def set_up(self) -> EnvironmentSummary:
        """Brings the database to the newest migration and makes the first environment. Safe to repeat."""
        schema.upgrade(self._database, self._migrations)
        with self._database.transaction() as session:
            found = store.first(session)
            if found is not None:
                return EnvironmentSummary(found.id, found.name)
            made = store.Environment(id=ids.new_id("env"), name=FIRST, created_at=self._now())
            store.add(session, made)
            return EnvironmentSummary(made.id, made.name)

    def first(self) -> EnvironmentSummary:
        """The environment of the console. Raises NotFound before set-up."""
        if self._first is None:
            with self._database.rows() as rows:
                found = store.first(rows)
            if found is None:
                raise NotFound("Nothing is set up. Run `flask --app app setup`.")
            self._first = EnvironmentSummary(found.id, found.name)
        return self._first

    def named(self, name: str) -> EnvironmentSummary:
        """Raises NotFound."""
        with self._database.reading() as session:
            found = store.by_name(session, name)
        if found is None:
            raise NotFound(f"There is no environment {name!r}.")
        return EnvironmentSummary(found.id, found.name)

    def all_of(self) -> tuple[EnvironmentSettings, ...]:
        with self._database.reading() as session:
            found = store.all_of(session)
        return tuple(EnvironmentSettings(one.id, one.name, one.unknown_subscribers) for one in found)

    def add(self, name: str) -> EnvironmentSummary:
        """Raises Refused for a name that does not do, Conflict for one that is there."""
        if not name.strip() or name != name.strip() or len(name) > 100 or not name.isprintable():
            raise Refused(
                "An environment's name has 1 to 100 printable characters, and none of them outer spaces.", "name"
            )
        with self._database.transaction() as session:
            if store.by_name(session, name) is not None:
                raise Conflict(f"There is an environment {name!r} already.")
            made = store.Environment(id=ids.new_id("env"), name=name, created_at=self._now())
            store.add(session, made)
            return EnvironmentSummary(made.id, made.name)

    def set_unknown_subscribers(self, name: str, policy: str) -> None:
        """`create` or `refuse`. Raises NotFound."""
        with self._database.transaction() as session:
            if not store.set_unknown_subscribers(session, name, policy):
                raise NotFound(f"There is no environment {name!r}.")

    def is_ready(self) -> bool:
        return self._database.is_ready()
