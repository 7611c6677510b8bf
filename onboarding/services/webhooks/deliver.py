"""Send webhooks, in the worker. Each call makes one try, and enqueues the next one if it fails."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from onboarding import addresses, changes, events
from onboarding.callers import SYSTEM
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.outgoing import queue, retries
from onboarding.outgoing.sender import Answer, Message, Sender
from onboarding.services.webhooks.secrets import EndpointSecrets
from onboarding.store import webhook_deliveries as store
from onboarding.store import webhook_endpoints as endpoints
from onboarding.store import webhook_tries as tries
from onboarding.store.database import Database, Session
from onboarding.store.webhook_deliveries import DeliveryRow, DeliveryState
from onboarding.store.webhook_endpoints import EndpointRow, PauseReason

#: An endpoint whose tries all fail for so long is paused.
FAILS_FOR = timedelta(days=5)
#: A try that is overdue for this long is enqueued again, because its work must have been lost.
_LOST_AFTER = timedelta(minutes=5)
#: How long deliveries are kept after their last try.
KEPT = timedelta(days=30)
_BATCH = 500
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Try:
    delivery: DeliveryRow
    endpoint: EndpointRow


class WebhookDelivering:
    def __init__(
        self,
        database: Database,
        endpoint_secrets: EndpointSecrets,
        sender: Sender,
        now: Clock,
        max_wait: Callable[[], int],
    ) -> None:
        """Create the service.

        `max_wait`: returns the longest wait between two tries, in seconds; 0 for no limit. Practice mode can
        shorten the waits, so that they can be watched.
        """
        self._database, self._secrets, self._sender, self._now = database, endpoint_secrets, sender, now
        self._max_wait = max_wait

    def deliver(self, delivery_id: str, number: int) -> None:
        """Send one try of a delivery and store the answer; does nothing if this try has ended.

        After a crash in the middle it may send the same message again: hosts recognize it by its id.
        """
        with self._database.reading() as session:
            delivery = store.by_id(session, delivery_id)
            if delivery is None or delivery.number != number or delivery.state is not DeliveryState.WAITING:
                return
            endpoint = endpoints.find(session, delivery.environment_id, delivery.endpoint_id)
        if endpoint is None:
            return
        one = _Try(delivery, endpoint)
        if endpoint.paused_at is not None:
            self._park(one)
        else:
            self._store(one, self._send(one))

    def enqueue_lost(self) -> None:
        """Enqueue again the tries whose work was lost, for example because it failed unexpectedly."""
        with self._database.transaction() as session:
            for due in store.overdue(session, self._now() - _LOST_AFTER, _BATCH):
                work = events.work_of(due.id, due.number)
                queue.enqueue_once(session, work, f"{due.id}:{due.number}")

    def purge(self) -> None:
        """Delete deliveries a month after their last try."""
        while True:
            with self._database.transaction() as session:
                if store.purge(session, self._now() - KEPT, _BATCH) < _BATCH:
                    return

    def _send(self, one: _Try) -> Answer:
        delivery, endpoint = one.delivery, one.endpoint
        try:
            known = [self._secrets.open(endpoint.id, endpoint.secret)]
        except VaultProblem as problem:
            _LOG.error("webhook.secret_unreadable", endpoint=endpoint.id, problem=problem.sentence)
            return Answer.failed("The endpoint's secret cannot be decrypted. Change it.")
        until = endpoint.previous_until
        if endpoint.previous_secret is not None and until is not None and self._now() < until:
            # A receiver that has the new secret needs no second signature.
            with suppress(VaultProblem):
                known.append(self._secrets.open(endpoint.id, endpoint.previous_secret, is_previous=True))
        return self._sender.send(Message(endpoint.url, delivery.message_id, delivery.body, known))

    def _park(self, one: _Try) -> None:
        values = {"state": DeliveryState.PARKED, "problem": "The endpoint was paused."}
        with self._database.transaction() as session:
            store.end_try(session, one.delivery.id, one.delivery.number, **values)

    def _store(self, one: _Try, answer: Answer) -> None:
        at = self._now()
        with self._database.transaction() as session:
            if answer.problem is not None:
                self._store_failure(session, one, answer, at)
                return
            if self._end_try(session, one, answer, at, state=DeliveryState.DELIVERED):
                endpoints.end_failing(session, one.endpoint.id)

    def _store_failure(self, session: Session, one: _Try, answer: Answer, at: datetime) -> None:
        delivery = one.delivery
        wait = retries.wait_after(delivery.failures, answer.retry_after, self._max_wait())
        reason = self._pause_reason(one.endpoint, answer, at)
        values: dict[str, object] = {"state": DeliveryState.PARKED}
        if wait is not None and reason is None:
            values = {"number": delivery.number + 1, "due_at": at + wait}
        if not self._end_try(session, one, answer, at, failures=delivery.failures + 1, **values):
            return
        endpoints.begin_failing(session, one.endpoint.id, at)
        if reason is not None and endpoints.pause(session, one.endpoint.id, reason, at):
            kind, host = ChangeKind.WEBHOOK_PAUSED, addresses.host_of(one.endpoint.url)
            environment_id = delivery.environment_id
            changes.record(session, Change(kind, SYSTEM, at, environment_id, one.endpoint.id, host, detail=reason))
        elif wait is not None and reason is None:
            queue.enqueue(session, events.work_of(delivery.id, delivery.number + 1, wait.total_seconds()))

    def _end_try(self, session: Session, one: _Try, answer: Answer, at: datetime, **values: object) -> bool:
        """Store the try with its answer. Return False if the delivery does not wait for it any more."""
        delivery, answered = one.delivery, _values(answer, at)
        if not store.end_try(session, delivery.id, delivery.number, **{"due_at": at, **answered, **values}):
            return False
        tries.add(session, delivery_id=delivery.id, number=delivery.number, **answered)
        return True

    def _pause_reason(self, endpoint: EndpointRow, answer: Answer, at: datetime) -> PauseReason | None:
        if answer.is_gone:
            return PauseReason.GONE
        since = endpoint.failing_since
        return PauseReason.FAILURES if since is not None and at - since >= FAILS_FOR else None


def _values(answer: Answer, at: datetime) -> dict[str, object]:
    return {
        "tried_at": at,
        "answer_status": answer.status,
        "answer_body": answer.body or None,
        "problem": answer.problem,
        "milliseconds": answer.milliseconds,
    }
