"""The records that the webhook services take and return."""

from dataclasses import dataclass

from onboarding.store.webhook_deliveries import DeliveryRow, DeliveryState
from onboarding.store.webhook_endpoints import EndpointRow
from onboarding.webhook_documents import WebhookDelivery, WebhookEndpoint


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


def endpoint_of(row: EndpointRow, secret: str | None = None) -> WebhookEndpoint:
    return WebhookEndpoint(
        row.id,
        row.url,
        row.description,
        row.events,
        row.pause_reason,
        row.paused_at,
        row.failing_since,
        row.previous_until if row.previous_secret is not None else None,
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
