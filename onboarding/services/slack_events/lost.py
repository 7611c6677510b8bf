"""Enqueue again the events whose work was lost.

It failed unexpectedly, or the database was unreachable for too long.
"""

from datetime import timedelta

import structlog

from onboarding.clock import Clock
from onboarding.outgoing import queue
from onboarding.services.slack_events.receive import forward_work, handle_work
from onboarding.store import slack_events
from onboarding.store.database import Database

#: An event that is overdue for this long is enqueued again.
LOST_AFTER = timedelta(minutes=5)
_BATCH = 500
_LOG = structlog.get_logger(__name__)


class LostEvents:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def enqueue(self) -> None:
        """Enqueue overdue events. Any number of workers may do so, even if the work is only late."""
        at = self._now()
        with self._database.changing_rows() as rows:
            unhandled = slack_events.overdue(rows, "handle_at", at - LOST_AFTER, at, _BATCH)
            undelivered = slack_events.overdue(rows, "forward_at", at - LOST_AFTER, at, _BATCH)
            for one in unhandled:
                queue.enqueue(rows, handle_work(one.id))
            for one in undelivered:
                queue.enqueue(rows, forward_work(one.id, one.forward_failures))
        if unhandled or undelivered:
            _LOG.warning("slack.events_enqueued_again", unhandled=len(unhandled), undelivered=len(undelivered))
