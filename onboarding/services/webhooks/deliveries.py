"""The deliveries of webhooks: a list, each with its answer, and their replay."""

from onboarding import changes, events
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound
from onboarding.outgoing import queue
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.services.webhooks.records import DeliveryQuery, delivery_of
from onboarding.store import pagination
from onboarding.store import webhook_deliveries as store
from onboarding.store import webhook_endpoints as endpoints
from onboarding.store.database import BeforeCommit, Database, Session
from onboarding.store.webhook_deliveries import DeliveryFilter, DeliveryRow
from onboarding.webhook_documents import WebhookDelivery

_BATCH = 200


class WebhookDeliveries:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def list(self, environment_id: str, request: PageRequest, query: DeliveryQuery) -> Page[WebhookDelivery]:
        """Return a page, newest first. Raises Refused for an unknown cursor."""
        asked = pagination.store_page_request("webhook_deliveries", environment_id, request)
        wanted = DeliveryFilter(query.endpoint_id, query.state, query.event, query.subject)
        with self._database.rows() as rows:
            total = store.count(rows, environment_id, wanted, COUNT_CAP + 1)
            found = store.page(rows, environment_id, asked, wanted)
        return pagination.page_of(asked, found, total, COUNT_CAP, delivery_of)

    def find(self, environment_id: str, delivery_id: str) -> WebhookDelivery:
        """Raises NotFound."""
        with self._database.reading() as session:
            return delivery_of(self._found(session, environment_id, delivery_id))

    def replay(
        self, environment_id: str, delivery_id: str, actor: Actor, before_commit: BeforeCommit | None = None
    ) -> WebhookDelivery:
        """Send the same message again, with all tries; one that waits for a try stays as it is.

        Raises NotFound, Conflict for a paused endpoint.
        """
        with self._database.transaction() as session:
            row = self._found(session, environment_id, delivery_id)
            self._check_endpoint(session, environment_id, row.endpoint_id)
            if self._restart(session, row.id):
                self._record(session, environment_id, row.endpoint_id, actor, row.id)
            replayed = delivery_of(self._found(session, environment_id, delivery_id))
            if before_commit is not None:
                before_commit(session, replayed)
        return replayed

    def replay_parked(self, environment_id: str, endpoint_id: str, actor: Actor) -> int:
        """Send all parked messages of an endpoint again, the oldest first, and return how many.

        Raises NotFound, Conflict for a paused endpoint.
        """
        count = 0
        while True:
            with self._database.transaction() as session:
                self._check_endpoint(session, environment_id, endpoint_id)
                found = store.parked_of(session, endpoint_id, _BATCH)
                count += sum(self._restart(session, one) for one in found)
                if len(found) < _BATCH:
                    if count:
                        self._record(session, environment_id, endpoint_id, actor, f"{count} parked")
                    return count

    def _check_endpoint(self, session: Session, environment_id: str, endpoint_id: str) -> None:
        endpoint = endpoints.find(session, environment_id, endpoint_id)
        if endpoint is None:
            raise NotFound(code="webhook_endpoint_not_found", kind="Webhook endpoint", name=endpoint_id)
        if endpoint.paused_at is not None:
            raise Conflict("The endpoint is paused. Resume it first.", "endpoint_paused")

    def _restart(self, session: Session, delivery_id: str) -> bool:
        number = store.restart(session, delivery_id, self._now())
        if number is not None:
            queue.enqueue(session, events.work_of(delivery_id, number))
        return number is not None

    def _record(self, session: Session, environment_id: str, endpoint_id: str, actor: Actor, detail: str) -> None:
        kind = ChangeKind.WEBHOOK_REPLAYED
        changes.record(session, Change(kind, actor, self._now(), environment_id, endpoint_id, detail=detail))

    def _found(self, session: Session, environment_id: str, delivery_id: str) -> DeliveryRow:
        row = store.find(session, environment_id, delivery_id)
        if row is None:
            raise NotFound(code="webhook_delivery_not_found", kind="Webhook delivery", name=delivery_id)
        return row
