"""Environments, and bringing a deployment to life."""

from dataclasses import dataclass
from pathlib import Path

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound
from onboarding.store import environments as store
from onboarding.store import schema
from onboarding.store.database import Database

FIRST = "Development"


@dataclass(frozen=True)
class EnvironmentSummary:
    id: str
    name: str


class Environments:
    def __init__(self, database: Database, migrations: Path, now: Clock) -> None:
        self._database, self._migrations, self._now = database, migrations, now

    def set_up(self) -> EnvironmentSummary:
        """Brings the database to the newest migration and makes the first environment. Safe to repeat."""
        schema.upgrade(self._database, self._migrations)
        with self._database.transaction() as session:
            found = store.first(session)
            if found is None:
                found = store.Environment(id=ids.new_id("env"), name=FIRST, created_at=self._now())
                store.add(session, found)
            return EnvironmentSummary(found.id, found.name)

    def first(self) -> EnvironmentSummary:
        """The environment of the console. Raises NotFound before set-up."""
        with self._database.reading() as session:
            found = store.first(session)
        if found is None:
            raise NotFound("Nothing is set up. Run `flask --app app setup`.")
        return EnvironmentSummary(found.id, found.name)

    def is_ready(self) -> bool:
        return self._database.is_ready()
