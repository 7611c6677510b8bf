"""Workers report that they are alive, and learn which others died."""

from dataclasses import dataclass
from datetime import timedelta

from onboarding import ids
from onboarding.store import workers as store
from onboarding.store.database import Database

#: A worker that was not seen for so long is dead.
DEAD_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Roster:
    """The workers at one moment, from the view of one of them."""

    alive: frozenset[str]
    dead: tuple[str, ...]
    #: Whether this worker hands over the work of dead ones. Only the worker that started first does.
    is_first: bool


class Workers:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self) -> str:
        """Register a worker that starts, and return its id."""
        worker_id = ids.new_id("wrk")
        with self._database.transaction() as session:
            store.add(session, worker_id)
        return worker_id

    def beat(self, worker_id: str) -> Roster | None:
        """Report that the worker is alive. None if another worker has removed it, after a silence of `DEAD_AFTER`."""
        with self._database.transaction() as session:
            if not store.beat(session, worker_id):
                return None
            found = store.heartbeats(session)
        alive = [one.id for one in found if one.now - one.seen_at < DEAD_AFTER]
        dead = tuple(one.id for one in found if one.id not in alive)
        return Roster(frozenset(alive), dead, is_first=alive[:1] == [worker_id])

    def any_alive(self) -> bool:
        """Return whether a worker runs."""
        with self._database.rows() as rows:
            return any(one.now - one.seen_at < DEAD_AFTER for one in store.heartbeats(rows))

    def remove(self, worker_id: str) -> None:
        """Remove a worker that ends."""
        with self._database.transaction() as session:
            store.remove(session, worker_id)

    def remove_dead(self, worker_id: str) -> None:
        """Remove a dead worker after its work was handed over, unless it has been seen again."""
        with self._database.transaction() as session:
            store.remove_unseen(session, worker_id, DEAD_AFTER)
