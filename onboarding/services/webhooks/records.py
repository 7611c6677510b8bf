"""The records that the webhook services take and return."""

from dataclasses import dataclass
from datetime import datetime

from onboarding.event_types import TEST_EVENT, EventType
from onboarding.store.webhook_deliveries import DeliveryRow, DeliveryState
from onboarding.store.webhook_endpoints import EndpointRow
from onboarding.store.webhook_tries import TryRow
from onboarding.webhook_documents import WebhookDelivery, WebhookEndpoint, WebhookTry


@dataclass(frozen=True, slots=True)
class NewWebhookEndpoint:
    url: str
    #: Empty for all events.
    events: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """None leaves a value as it is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    #: False pauses the endpoint, True resumes it.
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """The filters of a list. None does not filter."""

    endpoint_id: str | None = None
    state: str | None = None
    event: str | None = None
    #: A connection's identifier, or the reference of an install.
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class DeliverySearch:
    """The filters as a person gives them. Empty texts and unknown choices list everything."""

    status: str = ""
    event: str = ""
    #: A connection's identifier, or the reference of an install.
    subject: str = ""

    @property
    def is_filtered(self) -> bool:
        return self != DeliverySearch()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the names of the filters whose value is not among the choices."""
        known = {"status": set(DeliveryState), "event": {*EventType, TEST_EVENT}}
        return tuple(name for name, values in known.items() if (value := getattr(self, name)) and value not in values)

    def query_of(self, endpoint_id: str) -> DeliveryQuery:
        status, event = (None if name in self.unknown else getattr(self, name) or None for name in ("status", "event"))
        return DeliveryQuery(endpoint_id, status, event, self.subject or None)


def endpoint_of(row: EndpointRow, at: datetime, secret: str | None = None) -> WebhookEndpoint:
    """Return the endpoint as it is at a time."""
    until = row.previous_until if row.previous_secret is not None else None
    return WebhookEndpoint(
        row.id,
        row.url,
        row.description,
        row.events,
        row.pause_reason,
        row.paused_at,
        row.failing_since,
        until if until is not None and at < until else None,
        row.created_at,
        row.updated_at,
        secret,
    )


def delivery_of(row: DeliveryRow) -> WebhookDelivery:
    return WebhookDelivery(
        row.id,
        row.endpoint_id,
        row.message_id,
        row.event,
        row.subject,
        row.sequence,
        row.body,
        row.state,
        row.failures,
        row.due_at if row.state is DeliveryState.WAITING else None,
        row.created_at,
        row.tried_at,
        row.answer_status,
        row.answer_body,
        row.problem,
        row.milliseconds,
    )


def try_of(row: TryRow) -> WebhookTry:
    return WebhookTry(row.tried_at, row.answer_status, row.answer_body, row.problem, row.milliseconds)
