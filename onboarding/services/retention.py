"""Retention: what nobody needs any more goes, a batch at a time, so that nobody waits for it.

Any number of processes may do it at once: each takes rows that no other has in hand. Answers to repeated requests are
`idempotency`'s, grants that wait are `choosing`'s.
"""

from collections.abc import Iterator
from datetime import timedelta

from onboarding.clock import Clock
from onboarding.store import attempts, audit, operators, orphaned_installations
from onboarding.store.database import Database

#: The browser's cookie lives a day (pages/attempt_cookies.py), and without it the result page shows nothing. An approval
#: lives a week, and until then a second callback of the same attempt is a reload, and no riddle.
ATTEMPT_LIFE = timedelta(days=7)
UNUSED_LIFE = timedelta(hours=24)
#: For so long an old link's page says that it was used, or came too late.
SIGN_IN_KEPT = timedelta(days=7)
_BATCH = 500


class Retention:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now
        self._place = ""

    def purge_attempts(self) -> Iterator[int]:
        """Removes attempts that ended long ago, and those that nobody came back to. How many, batch by batch."""
        before = self._now() - ATTEMPT_LIFE
        for stage in ("finished", "made"):
            count = _BATCH
            while count == _BATCH:
                with self._database.transaction() as session:
                    count = attempts.purge(session, stage, before, _BATCH)
                yield count

    def purge_sign_ins(self) -> Iterator[int]:
        """Removes sign-in links and sessions that ended long ago. How many, batch by batch."""
        before, count = self._now() - SIGN_IN_KEPT, _BATCH
        while count == _BATCH:
            with self._database.transaction() as session:
                count = operators.purge_sign_ins(session, before, _BATCH)
            yield count

    def erase_unused(self) -> Iterator[int]:
        """Erases installations without any connection. How many, page by page of a walk over all installations.

        Who ends a connection erases its installation, too. But two who leave the same one at the same moment each see
        the other on it still. A walk that is broken off goes on from there the next time.
        """
        while True:
            before = self._now() - UNUSED_LIFE
            with self._database.reading() as session:
                page = orphaned_installations.page(session, self._place, _BATCH)
                found = orphaned_installations.unused(session, page, before)
            self._place = page[-1] if len(page) == _BATCH else ""
            is_through = not self._place
            count = 0
            if found:
                with self._database.transaction() as session:
                    erased = orphaned_installations.erase(session, found, before)
                    for one in erased:
                        at, name = self._now(), "installation.erased"
                        audit.note(session, one.environment_id, at, "system", name, one.id, one.slack_key)
                    count = len(erased)
            yield count
            if is_through:
                return
