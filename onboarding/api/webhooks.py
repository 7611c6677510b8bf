"""/v1/webhook-endpoints and /v1/webhook-deliveries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from flask import Response
from pydantic import Field, StringConstraints, WithJsonSchema

from onboarding import webhook_documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import CreatedAt, Plain, Time, UpdatedAt, Wire
from onboarding.api.idempotency import Members, Representation, once
from onboarding.api.lists import CursorPage, CursorQuery, page
from onboarding.api.operations import WEBHOOKS, Operation
from onboarding.api.problems import ValidationFailed
from onboarding.api.request_parsing import read_body, read_query
from onboarding.before_commit import BeforeCommit
from onboarding.errors import Refused
from onboarding.event_types import EventType
from onboarding.runtime import current
from onboarding.services.webhooks.records import DeliveryQuery, EndpointChange, NewWebhookEndpoint

_ENDPOINT_TAG = "Webhook endpoints"
_DELIVERY_TAG = "Webhook deliveries"
_ENDPOINT = "/v1/webhook-endpoints/<id>"
_DELIVERY = "/v1/webhook-deliveries/<id>"
Address = Annotated[
    Plain,
    StringConstraints(max_length=2000),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": 2000}),
]
EventName = Annotated[EventType, Field(strict=False)]
_EVENTS = "The events to send. An empty list stands for all of them."


class CreateWebhookEndpoint(Wire):
    url: Address = Field(
        examples=["https://app.example.com/hooks/slack"],
        description="The address that events are posted to. It must use https; in practice mode, this computer may use http.",
    )
    events: list[EventName] = Field([], max_length=50, description=_EVENTS)
    description: Plain = Field("", max_length=255, description="A note for people in the console.")


class UpdateWebhookEndpoint(Wire):
    url: Address | None = Field(None, description="The new address.")
    events: list[EventName] | None = Field(None, max_length=50, description=_EVENTS)
    description: Plain | None = Field(None, max_length=255, description="The new note.")
    enabled: bool | None = Field(
        None, description="`false` pauses the endpoint: its events are kept and can be replayed. `true` resumes it."
    )


class WebhookEndpoint(Wire):
    """An address of yours that events are posted to."""

    id: str = Field(description="The endpoint's id.")
    url: str = Field(description="The address that events are posted to.")
    description: str = Field(description="Your note.")
    events: list[str] = Field(description="The events that are sent. An empty list stands for all of them.")
    status: Literal["enabled", "failing", "paused"] = Field(
        description="`failing` after a failure, until a message is delivered."
    )
    pause_reason: str | None = Field(
        None,
        description="Why it is paused: `requested`, `failures` (no success for five days), or `gone` (an answer had status 410).",
    )
    paused_at: Time | None = Field(None, description="When it was paused.")
    failing_since: Time | None = Field(None, description="When the current failures began.")
    previous_secret_until: Time | None = Field(
        None, description="Until when messages are also signed with the previous secret."
    )
    secret: str | None = Field(
        None,
        description="The secret that verifies messages. Only in the response to the request that creates it, and not if the request is repeated.",
    )
    created_at: CreatedAt
    updated_at: UpdatedAt


class WebhookDelivery(Wire):
    """An event for one endpoint, with the latest answer."""

    id: str = Field(description="The delivery's id.")
    endpoint_id: str = Field(description="The endpoint that it goes to.")
    message_id: str = Field(description="The event's id, which the header `webhook-id` repeats.")
    event: str = Field(description="The type of the event.")
    subject: str = Field(description="The connection's identifier, or the reference of an install.")
    sequence: int | None = Field(None, description="The number of the event among those of its connection.")
    status: Literal["waiting", "delivered", "parked"] = Field(
        description="`parked` after the last try failed, or while the endpoint is paused."
    )
    failures: int = Field(description="How many tries failed since the event or its last replay.")
    answer_status: int | None = Field(None, description="The HTTP status of the latest answer.")
    answer_body: str | None = Field(None, description="The beginning of the latest answer.")
    problem: str | None = Field(None, description="Why the latest try failed, for people.")
    milliseconds: int | None = Field(None, description="How long the latest try took.")
    tried_at: Time | None = Field(None, description="The time of the latest try.")
    next_try_at: Time | None = Field(None, description="When the next try is due, while it is waiting.")
    body: str = Field(description="The JSON that is sent.")
    created_at: CreatedAt


class WebhookTry(Wire):
    """One request to the endpoint, with its answer."""

    tried_at: Time = Field(description="When the request was sent.")
    answer_status: int | None = Field(None, description="The HTTP status of the answer.")
    answer_body: str | None = Field(None, description="The beginning of the answer.")
    problem: str | None = Field(None, description="Why the try failed, for people. Absent if the message was accepted.")
    milliseconds: int = Field(description="How long the try took.")


class WebhookDeliveryWithTries(WebhookDelivery):
    """An event for one endpoint, with each try to deliver it."""

    tries: list[WebhookTry] = Field(description="The tries, newest first, including those before a replay.")


class WebhookEndpoints(Wire):
    data: list[WebhookEndpoint] = Field(description="The endpoints, the oldest first.")


class Replayed(Wire):
    replayed: int = Field(description="How many deliveries are sent again.")


class DeliveriesQuery(CursorQuery):
    endpoint_id: Plain | None = Field(None, description="Only return the deliveries to this endpoint.")
    status: Literal["waiting", "delivered", "parked"] | None = Field(
        None, description="Only return those with this status."
    )
    event: Plain | None = Field(None, description="Only return the deliveries of this type of event.")
    subject: Plain | None = Field(
        None,
        description="Only return the events of the connection with this identifier, or of the install with this reference.",
    )


@contextmanager
def _refused_by_field() -> Iterator[None]:
    """Turn the service's refusal of a value into a validation error of its field."""
    try:
        yield
    except Refused as refusal:
        raise ValidationFailed({refusal.field: {"messages": [refusal.sentence]}}) from None


def _without_secret(members: Members) -> Members:
    return {name: value for name, value in members.items() if name != "secret"}


SHOWN_ENDPOINT = Representation(webhook_documents.endpoint, redact=_without_secret)
SHOWN_DELIVERY = Representation(webhook_documents.delivery)


@operations.post(
    "/v1/webhook-endpoints", Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookEndpoint, body=CreateWebhookEndpoint)
)
@once(SHOWN_ENDPOINT)
def create_webhook_endpoint(before_commit: BeforeCommit) -> webhook_documents.WebhookEndpoint:
    """Create a webhook endpoint

    Returns the endpoint with its secret. No other response contains the secret.
    """
    body = read_body(CreateWebhookEndpoint)
    new = NewWebhookEndpoint(body.url, tuple(map(str, body.events)), body.description)
    with _refused_by_field():
        return current().webhooks.endpoints.create(caller().environment.id, new, caller().actor, before_commit)


@operations.get("/v1/webhook-endpoints", Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookEndpoints))
def list_webhook_endpoints() -> Response:
    """List all webhook endpoints

    Returns the endpoints of the environment, at most 20.
    """
    found = current().webhooks.endpoints.list(caller().environment.id)
    return operations.json_response({"data": [webhook_documents.endpoint(one) for one in found]})


@operations.get(_ENDPOINT, Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookEndpoint))
def retrieve_webhook_endpoint(id: str) -> Response:
    """Retrieve a webhook endpoint

    Returns the endpoint, without its secret.
    """
    found = current().webhooks.endpoints.find(caller().environment.id, id)
    return operations.json_response(webhook_documents.endpoint(found))


@operations.patch(_ENDPOINT, Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookEndpoint, body=UpdateWebhookEndpoint))
@once(SHOWN_ENDPOINT, 200)
def update_webhook_endpoint(before_commit: BeforeCommit, id: str) -> webhook_documents.WebhookEndpoint:
    """Update a webhook endpoint

    Changes the members that you send; pauses or resumes the endpoint with `enabled`.
    """
    body = read_body(UpdateWebhookEndpoint)
    events = None if body.events is None else tuple(map(str, body.events))
    change = EndpointChange(body.url, events, body.description, body.enabled)
    endpoints = current().webhooks.endpoints
    with _refused_by_field():
        return endpoints.change(caller().environment.id, id, change, caller().actor, before_commit)


@operations.delete(_ENDPOINT, Operation(WEBHOOKS, _ENDPOINT_TAG))
def delete_webhook_endpoint(id: str) -> Response:
    """Delete a webhook endpoint

    Deletes the endpoint with its deliveries.
    """
    current().webhooks.endpoints.remove(caller().environment.id, id, caller().actor)
    return operations.no_content()


@operations.post(f"{_ENDPOINT}/rotate-secret", Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookEndpoint, status=200))
@once(SHOWN_ENDPOINT, 200)
def rotate_webhook_secret(before_commit: BeforeCommit, id: str) -> webhook_documents.WebhookEndpoint:
    """Change the secret of a webhook endpoint

    Returns the endpoint with its new secret. For 24 hours, messages are also signed with the previous secret.
    """
    return current().webhooks.endpoints.rotate_secret(caller().environment.id, id, caller().actor, before_commit)


@operations.post(f"{_ENDPOINT}/test", Operation(WEBHOOKS, _ENDPOINT_TAG, WebhookDelivery))
def test_webhook_endpoint(id: str) -> Response:
    """Send a test event

    Sends an event of the type `webhook.test` to the endpoint, and returns the delivery. Retrieve it again to see the
    answer.
    """
    environment_id, webhooks = caller().environment.id, current().webhooks
    found = webhooks.deliveries.find(environment_id, webhooks.endpoints.test(environment_id, id))
    return operations.json_response(webhook_documents.delivery(found), 201)


@operations.post(f"{_ENDPOINT}/replay", Operation(WEBHOOKS, _ENDPOINT_TAG, Replayed, status=200))
def replay_webhook_endpoint(id: str) -> Response:
    """Replay all parked deliveries

    Sends every parked message of the endpoint again, the oldest first.
    """
    count = current().webhooks.deliveries.replay_parked(caller().environment.id, id, caller().actor)
    return operations.json_response({"replayed": count})


@operations.get(
    "/v1/webhook-deliveries", Operation(WEBHOOKS, _DELIVERY_TAG, CursorPage[WebhookDelivery], query=DeliveriesQuery)
)
def list_webhook_deliveries() -> Response:
    """List all webhook deliveries

    Returns a page of deliveries with their latest answers, newest first. They are kept for 30 days after their last
    try.
    """
    query = read_query(DeliveriesQuery)
    wanted = DeliveryQuery(query.endpoint_id, query.status, query.event, query.subject)
    found = current().webhooks.deliveries.list(caller().environment.id, query.page_request(), wanted)
    return operations.json_response(page(found, webhook_documents.delivery))


@operations.get(_DELIVERY, Operation(WEBHOOKS, _DELIVERY_TAG, WebhookDeliveryWithTries))
def retrieve_webhook_delivery(id: str) -> Response:
    """Retrieve a webhook delivery

    Returns the delivery with each try and its answer.
    """
    environment_id, deliveries = caller().environment.id, current().webhooks.deliveries
    found, tries = deliveries.find(environment_id, id), deliveries.tries(environment_id, id)
    return operations.json_response(
        {**webhook_documents.delivery(found), "tries": list(map(webhook_documents.one_try, tries))}
    )


@operations.post(f"{_DELIVERY}/replay", Operation(WEBHOOKS, _DELIVERY_TAG, WebhookDelivery, status=200))
@once(SHOWN_DELIVERY, 200)
def replay_webhook_delivery(before_commit: BeforeCommit, id: str) -> webhook_documents.WebhookDelivery:
    """Replay a webhook delivery

    Sends the same message again, with nine new tries. A delivery that still waits for a try is not changed.
    """
    return current().webhooks.deliveries.replay(caller().environment.id, id, caller().actor, before_commit)
