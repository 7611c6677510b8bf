"""The deliveries of webhooks: a list, each with its answers, and their replay."""

from onboarding import addresses, changes, events
from onboarding.before_commit import BeforeCommit, add_nothing
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import NotFound
from onboarding.outgoing import queue
from onboarding.pagination import COUNT_CAP, Page, PageRequest
from onboarding.services.webhooks.endpoints import running_endpoint
from onboarding.services.webhooks.records import DeliveryQuery, delivery_of, try_of
from onboarding.store import pagination
from onboarding.store import webhook_deliveries as store
from onboarding.store import webhook_endpoints as endpoints
from onboarding.store import webhook_tries as tries
from onboarding.store.database import Database, Session
from onboarding.store.webhook_deliveries import DeliveryFilter, DeliveryRow, DeliveryState
from onboarding.store.webhook_endpoints import EndpointRow
from onboarding.webhook_documents import WebhookDelivery, WebhookTry

_BATCH = 200
_NEWEST = 10


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

    def newest_about(self, environment_id: str, subject: str) -> Page[WebhookDelivery]:
        """Return the newest deliveries about a connection, or about an install, to all endpoints."""
        return self.list(environment_id, PageRequest(_NEWEST), DeliveryQuery(subject=subject))

    def find(self, environment_id: str, delivery_id: str) -> WebhookDelivery:
        """Return a delivery. Raises NotFound."""
        with self._database.reading() as session:
            return delivery_of(self._found(session, environment_id, delivery_id))

    def tries(self, environment_id: str, delivery_id: str) -> tuple[WebhookTry, ...]:
        """Return the tries of a delivery, the newest first. Raises NotFound."""
        with self._database.reading() as session:
            return tuple(map(try_of, tries.all_of(session, self._found(session, environment_id, delivery_id).id)))

    def newest_of_each(self, environment_id: str) -> dict[str, WebhookDelivery]:
        """Return the newest delivery of each endpoint that has one, by the endpoint's id."""
        with self._database.reading() as session:
            ids = [one.id for one in endpoints.listeners(session, environment_id)]
            found = [store.newest_of(session, environment_id, endpoint_id) for endpoint_id in ids]
        return {row.endpoint_id: delivery_of(row) for row in found if row is not None}

    def count_parked(self, environment_id: str, endpoint_id: str) -> int:
        """Return how many messages of an endpoint can be replayed because they were not delivered."""
        parked = DeliveryFilter(endpoint_id, DeliveryState.PARKED)
        with self._database.rows() as rows:
            return store.count(rows, environment_id, parked, COUNT_CAP)

    def replay(
        self, environment_id: str, delivery_id: str, actor: Actor, before_commit: BeforeCommit = add_nothing
    ) -> WebhookDelivery:
        """Send the same message again, with new tries. A delivery that waits for a try stays as it is.

        Raises NotFound, Conflict for a paused endpoint.
        """
        with self._database.transaction() as session:
            row = self._found(session, environment_id, delivery_id)
            endpoint = running_endpoint(session, environment_id, row.endpoint_id)
            if self._restart(session, row.id):
                self._record(session, endpoint, actor, row.id)
            replayed = delivery_of(self._found(session, environment_id, delivery_id))
            before_commit(session, replayed)
        return replayed

    def replay_parked(self, environment_id: str, endpoint_id: str, actor: Actor) -> int:
        """Send all parked messages of an endpoint again, the oldest first, and return how many.

        Raises NotFound, Conflict for a paused endpoint.
        """
        count = 0
        while True:
            with self._database.transaction() as session:
                endpoint = running_endpoint(session, environment_id, endpoint_id)
                found = store.parked_of(session, endpoint_id, _BATCH)
                count += sum(self._restart(session, one) for one in found)
                if len(found) < _BATCH:
                    if count:
                        self._record(session, endpoint, actor, f"{count} parked")
                    return count

    def _restart(self, session: Session, delivery_id: str) -> bool:
        number = store.restart(session, delivery_id, self._now())
        if number is not None:
            queue.enqueue(session, events.work_of(delivery_id, number))
        return number is not None

    def _record(self, session: Session, row: EndpointRow, actor: Actor, detail: str) -> None:
        kind, host = ChangeKind.WEBHOOK_REPLAYED, addresses.host_of(row.url)
        changes.record(session, Change(kind, actor, self._now(), row.environment_id, row.id, host, detail=detail))

    def _found(self, session: Session, environment_id: str, delivery_id: str) -> DeliveryRow:
        row = store.find(session, environment_id, delivery_id)
        if row is None:
            raise NotFound(code="webhook_delivery_not_found", kind="Webhook delivery", name=delivery_id)
        return row
