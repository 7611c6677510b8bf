"""Delete rows that are no longer needed, in batches with a transaction each so that no writer waits long.

Any number of processes may run it at the same time; each skips rows that another has locked.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from onboarding import events
from onboarding.callers import SYSTEM
from onboarding.clock import Clock
from onboarding.lifetimes import EXCHANGE_LIMIT, PREVIOUS_SECRET_LIFETIME, RESPONSE_LIFETIME
from onboarding.outcomes import Outcome
from onboarding.services.installations import Installations
from onboarding.store import attempts, bulk, erasure, integrations, slack_events, unfinished_attempts
from onboarding.store.attempts import Stage
from onboarding.store.database import Database, Session
from onboarding.store.link_terms import LinkKind

#: A browser shows the result of its attempt for a day, and an approval, which may be used for a week, depends on its
#: attempt.
ATTEMPT_KEPT = timedelta(days=7)
#: Time for a connection to be attached to a new installation.
ORPHAN_KEPT = timedelta(hours=24)
#: For this long the page of an old sign-in link can say that the link was used or has expired.
SIGN_IN_KEPT = timedelta(days=7)
#: How long sessions and install URLs are kept after they expired, because programs ask how they ended.
_SESSION_KEPT = timedelta(days=7)
#: How long other links are kept after they expired, for the console's list.
_LINK_KEPT = timedelta(days=90)
#: In the order of deletion: approvals before the links that they were created from.
_LINKS_KEPT = {
    LinkKind.APPROVAL: _LINK_KEPT,
    LinkKind.SESSION: _SESSION_KEPT,
    LinkKind.INSTALL_URL: _SESSION_KEPT,
    LinkKind.INVITATION: _LINK_KEPT,
    LinkKind.OPEN: _LINK_KEPT,
}
#: A state of Sign in with Slack is valid for ten minutes, so this is long enough to refuse it a second time.
STATE_KEPT = timedelta(hours=1)
#: Slack repeats an event for a day at most.
EVENT_KEPT = timedelta(days=2)
BULK_KEPT = timedelta(days=7)
_BATCH = 500
#: Each has up to a thousand rows.
_RUNS = 10
_GRANTS = 100


class Retention:
    """Each method ends or deletes one kind of row and yields their number after each batch."""

    def __init__(
        self,
        database: Database,
        now: Clock,
        expire_attempt: Callable[[str], object],
        installations: Installations,
    ) -> None:
        """Create the service.

        `expire_attempt`: ends the waiting attempt of an id and revokes its grant at Slack, unless another process has.
        """
        self._database, self._now, self._expire_attempt = database, now, expire_attempt
        self._installations = installations
        #: The installation that was checked last; empty before the first.
        self._after = ""

    def end_attempts(self) -> Iterator[int]:
        """End attempts whose grant has waited too long, and attempts whose process died while it asked Slack.

        One batch, because each grant takes a request to Slack.
        """
        at = self._now()
        with self._database.reading() as session:
            waiting = unfinished_attempts.overdue(session, Stage.WAITING, at, _GRANTS)
            stuck = unfinished_attempts.stuck(session, at - EXCHANGE_LIMIT, _GRANTS)
        for attempt in waiting:
            self._expire_attempt(attempt.id)
        for attempt in stuck:
            values = {"stage": Stage.FINISHED, "outcome": Outcome.SLACK_DOWN, "finished_at": at}
            with self._database.transaction() as session:
                if attempts.move(session, attempt.id, Stage.EXCHANGING, **values):
                    events.attempt_ended(session, attempt.id)
        yield len(waiting) + len(stuck)

    def purge_attempts(self) -> Iterator[int]:
        """Delete attempts that ended, or were started and never continued, more than a week ago."""
        before = self._now() - ATTEMPT_KEPT
        for stage in (Stage.FINISHED, Stage.CREATED):
            yield from self._batches(partial(erasure.purge_attempts, stage=stage, before=before, limit=_BATCH))

    def purge_links(self) -> Iterator[int]:
        """Delete links, connect sessions and install URLs some time after they expired.

        A link stays as long as an attempt or an approval that was created from it. The audit log keeps its entries.
        """
        for kind, kept in _LINKS_KEPT.items():
            before = self._now() - kept
            yield from self._batches(partial(erasure.purge_links, kind=kind, before=before, limit=_BATCH))

    def purge_responses(self) -> Iterator[int]:
        """Delete stored responses to idempotent requests, and claims of processes that died, after a day."""
        before = self._now() - RESPONSE_LIFETIME
        return self._batches(partial(erasure.purge_responses, before=before, limit=_BATCH))

    def purge_slack_events(self) -> Iterator[int]:
        """Delete Slack's events after two days."""
        before = self._now() - EVENT_KEPT
        return self._batches(partial(slack_events.purge, before=before, limit=_BATCH))

    def purge_bulk_runs(self) -> Iterator[int]:
        """Delete bulk actions, with their results, a week after they were created."""
        before = self._now() - BULK_KEPT
        return self._batches(partial(bulk.purge, before=before, limit=_RUNS))

    def purge_sign_ins(self) -> Iterator[int]:
        """Delete sign-in links and sessions that expired more than a week ago, and used states after an hour."""
        at = self._now()
        yield from self._batches(partial(erasure.purge_sign_ins, before=at - SIGN_IN_KEPT, limit=_BATCH))
        yield from self._batches(partial(erasure.purge_sign_in_states, before=at - STATE_KEPT, limit=_BATCH))

    def erase_previous_secrets(self) -> Iterator[int]:
        """Erase the secrets of Slack apps that were replaced more than a day ago."""
        with self._database.transaction() as session:
            count = integrations.erase_previous_secrets(session, self._now() - PREVIOUS_SECRET_LIFETIME)
        yield count

    def erase_orphaned_installations(self) -> Iterator[int]:
        """Check all installations, and erase those without a connection whose token is more than a day old.

        A disconnect erases the installation with its last connection. But if the last two are disconnected at the same
        moment, each still sees the other. If the caller stops early, the next call continues from there.
        """
        while True:
            before = self._now() - ORPHAN_KEPT
            with self._database.reading() as session:
                ids = erasure.installation_ids(session, self._after, _BATCH)
                orphaned = erasure.orphaned_installations(session, ids, before)
            self._after = ids[-1] if len(ids) == _BATCH else ""
            is_last = not self._after
            count = 0
            if orphaned:
                with self._database.transaction() as session:
                    count = self._installations.erase_unused(session, orphaned, before, SYSTEM)
            yield count
            if is_last:
                return

    def _batches(self, purge: Callable[[Session], int]) -> Iterator[int]:
        count = _BATCH
        while count == _BATCH:
            with self._database.transaction() as session:
                count = purge(session)
            yield count
