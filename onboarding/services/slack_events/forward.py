"""Deliver Slack's events to the host, each until the host has accepted it or for a day."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import structlog

from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.outgoing import queue, retries
from onboarding.outgoing.sender import DEADLINE_SECONDS, Answer, Request, Sender
from onboarding.services.slack_events.receive import body_sealed_at, forward_work
from onboarding.slack import signatures
from onboarding.store import integrations, slack_events
from onboarding.store.database import Database
from onboarding.store.integrations import Integration
from onboarding.store.slack_events import SlackEvent
from onboarding.vault import SealedAt, Vault

#: Slack's own signature is refused after five minutes, so a late first delivery is signed again, too.
_SIGNATURE_LASTS = timedelta(seconds=signatures.MAX_AGE_SECONDS) - timedelta(minutes=1)
_LOG = structlog.get_logger(__name__)


class EventForwarder:
    def __init__(
        self, database: Database, vault: Vault, sender: Sender, now: Clock, max_wait: Callable[[], int]
    ) -> None:
        """Create the forwarder.

        `max_wait`: returns the longest wait between two tries, in seconds; 0 for no limit. Practice mode can
        shorten the waits, so that they can be watched.
        """
        self._database, self._vault, self._sender, self._now = database, vault, sender, now
        self._max_wait = max_wait

    def forward(self, event_row_id: str, failures: int) -> None:
        """Deliver an event once; does nothing if this try has ended. After a failure, the next try is enqueued.

        After a crash in the middle it may deliver the same event again: hosts recognize it by its `event_id`.
        """
        with self._database.reading() as session:
            row = slack_events.by_id(session, event_row_id)
            if row is None or row.forward_state != slack_events.WAITING or row.forward_failures != failures:
                return
            integration = integrations.by_id(session, row.environment_id, row.integration_id)
        if integration is None or integration.forward_url is None:
            self._end(row, slack_events.GIVEN_UP)
            return
        try:
            answer = self._deliver(row, integration, integration.forward_url)
        except VaultProblem as problem:
            _LOG.error("slack.event_unreadable", integration=integration.identifier, problem=problem.sentence)
            self._repeat(row, Answer.failed(problem.sentence), "unknown_error")
            return
        if answer.problem is None or _has_no_listener(answer):
            self._end(row, slack_events.DELIVERED)
        else:
            _LOG.warning("slack.event_not_forwarded", integration=integration.identifier, status=answer.status)
            self._repeat(row, answer, _reason(answer))

    def _deliver(self, row: SlackEvent, integration: Integration, url: str) -> Answer:
        """Send a stored event to the host and return the answer. Raises VaultProblem."""
        if row.body is None or integration.signing_secret is None:
            raise LookupError("The event has no body, or its integration no signing secret.")
        body = self._vault.open(row.body, body_sealed_at(row.id))
        is_first = row.forward_failures == 0
        if is_first and self._now() - row.received_at < _SIGNATURE_LASTS:
            signed = {
                signatures.TIMESTAMP_HEADER: row.slack_timestamp,
                signatures.SIGNATURE_HEADER: row.slack_signature,
            }
        else:
            sealed_at = SealedAt("integrations", "signing_secret", integration.id)
            signed = signatures.headers(self._vault.open(integration.signing_secret, sealed_at), body, self._now())
        if not is_first:
            signed |= {"X-Slack-Retry-Num": str(row.forward_failures), "X-Slack-Retry-Reason": row.forward_reason}
        return self._sender.post(Request(url, body.encode(), {"Content-Type": "application/json", **signed}))

    def _repeat(self, row: SlackEvent, answer: Answer, reason: str) -> None:
        """Enqueue the next try, if there is one. `reason`: why this one failed, in Slack's words."""
        wait = None
        if not answer.is_final:
            wait = retries.wait_after(row.forward_failures, answer.retry_after, self._max_wait())
        with self._database.changing_rows() as rows:
            if wait is None:
                slack_events.end_forward(rows, row, slack_events.GIVEN_UP, reason)
            elif slack_events.end_forward(rows, row, slack_events.WAITING, reason, self._now() + wait):
                queue.enqueue(rows, forward_work(row.id, row.forward_failures + 1, wait.total_seconds()))

    def _end(self, row: SlackEvent, state: str) -> None:
        with self._database.changing_rows() as rows:
            slack_events.end_forward(rows, row, state)


def _has_no_listener(answer: Answer) -> bool:
    """Return whether a Bolt app got the event and has no listener for its type: it answers like a missing page."""
    return answer.status == HTTPStatus.NOT_FOUND and "unhandled request" in answer.body


def _reason(answer: Answer) -> str:
    """Return why the delivery failed, in Slack's words: https://docs.slack.dev/apis/events-api#error-handling"""
    if answer.status is not None:
        return "http_error"
    return "http_timeout" if answer.milliseconds >= DEADLINE_SECONDS * 1000 else "connection_failed"
