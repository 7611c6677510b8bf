"""Refresh rotating tokens before they expire, without a request that needs them."""

from datetime import timedelta

import structlog

from onboarding.clock import Clock
from onboarding.errors import ReconnectNeeded, SlackBusy, SlackDown, VaultProblem
from onboarding.outgoing import queue
from onboarding.services.tokens.record_verdict import VerdictRecorder
from onboarding.services.tokens.source import TokenSource
from onboarding.store import installations
from onboarding.store.database import Database
from onboarding.work import Queue, Work

#: The workflow that refreshes one token: its argument is the id of the installation.
WORKFLOW = "refresh_token"
_BATCH = 500
#: The time until the next try if Slack does not answer. If only the answer was lost, Slack accepts the used refresh
#: token for a short time.
_AGAIN = timedelta(seconds=15)
#: The same if the client secret cannot be decrypted.
_UNREADABLE_AGAIN = timedelta(minutes=10)
_LOG = structlog.get_logger(__name__)


class TokenRefresh:
    def __init__(self, database: Database, source: TokenSource, now: Clock) -> None:
        self._database, self._source, self._now = database, source, now
        self._verdicts = VerdictRecorder(database, now)

    def enqueue_due(self) -> None:
        """Enqueue the refresh of each token whose time has come. A refresh that waits or runs is not enqueued again."""
        with self._database.changing_rows() as rows:
            for installation_id in installations.due(rows, "refresh_at", self._now(), _BATCH):
                queue.enqueue_once(rows, Work(Queue.SLACK, WORKFLOW, (installation_id,)), f"refresh:{installation_id}")

    def refresh(self, installation_id: str) -> None:
        """Refresh a token. If Slack does not answer, nothing changes, and it is tried again soon."""
        try:
            self._source.refresh_due(installation_id)
        except ReconnectNeeded:
            # Stored with its reason, on every connection that used the token.
            return
        except (SlackBusy, SlackDown, VaultProblem) as problem:
            _LOG.warning("token.refresh_waits", installation=installation_id, problem=problem.code)
            if isinstance(problem, SlackDown):
                self._verdicts.note_unanswered(installation_id)
            self._postpone(installation_id, _wait(problem))

    def _postpone(self, installation_id: str, wait: timedelta) -> None:
        with self._database.changing_rows() as rows:
            installations.change_time(rows, installation_id, "refresh_at", self._now() + wait)


def _wait(problem: SlackBusy | SlackDown | VaultProblem) -> timedelta:
    if isinstance(problem, SlackBusy):
        return timedelta(seconds=problem.retry_after)
    return _UNREADABLE_AGAIN if isinstance(problem, VaultProblem) else _AGAIN
