"""/v2/subscribers (contract.md A3, C2.2): enough for creating, finding and naming people."""

from typing import Any, Literal

from flask import Response
from pydantic import Field

from onboarding.api import authentication, idempotency, operations, wire
from onboarding.api.field_types import Data, Flag, Identifier, PageQuery, Plain, Time, Wire, page
from onboarding.api.request_parsing import read_body, read_body_and_query, read_query
from onboarding.runtime import current
from onboarding.services import subscribers as service

TAG = "Subscribers"
_ONE = "/v2/subscribers/<subscriber_id>"


class UpdateSubscriber(Wire):
    """What is named is changed; null takes it away."""

    first_name: Plain | None = Field(None, max_length=255)
    last_name: Plain | None = Field(None, max_length=255)
    email: Plain | None = Field(None, max_length=320)
    phone: Plain | None = Field(None, max_length=100)
    avatar: Plain | None = Field(None, max_length=2048)
    locale: Plain | None = Field(None, max_length=100)
    timezone: Plain | None = Field(None, max_length=100)
    data: Data | None = None

    @property
    def profile(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in wire.PROFILE if name in self.model_fields_set}


class CreateSubscriber(UpdateSubscriber):
    subscriber_id: Identifier = Field(examples=["subscriber-123"])


class CreateSubscriberQuery(Wire):
    fail_if_exists: Flag = False


class Subscriber(Wire):
    organization_id: str = Field(
        alias="_organizationId", description="For clients that ask for it: the same everywhere."
    )
    environment_id: str = Field(alias="_environmentId")
    subscriber_id: str = Field(examples=["subscriber-123"])
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    avatar: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any] | None = None
    deleted: bool
    created_at: Time
    updated_at: Time


class SubscriberPage(Wire):
    data: list[Subscriber]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


class SubscriberQuery(PageQuery):
    subscriber_id: Plain | None = None
    email: Plain | None = None
    phone: Plain | None = None
    name: Plain | None = Field(None, max_length=255, description="A part of the first or last name.")


class SubscriberDeleted(Wire):
    acknowledged: bool = Field(examples=[True])
    status: Literal["deleted"]


@operations.post("/v2/subscribers", "connections:write", TAG, Subscriber, CreateSubscriber, CreateSubscriberQuery)
def create_subscriber() -> Response:
    """Create a subscriber, or change the one that exists

    Both are answered with 201, the only success that the official clients know here.
    """
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> service.Subscriber:
        body, asked = read_body_and_query(CreateSubscriber, CreateSubscriberQuery)
        return current().subscribers.create(
            who.environment_id, body.subscriber_id, body.profile, asked.fail_if_exists, then
        )

    return idempotency.respond_once(act, wire.subscriber)


@operations.get("/v2/subscribers", "connections:read", TAG, SubscriberPage, SubscriberQuery)
def list_subscribers() -> Response:
    """List subscribers, by cursor"""
    asked = read_query(SubscriberQuery)
    names = ("subscriber_id", "email", "phone", "name")
    wanted = {name: value for name in names if (value := getattr(asked, name)) is not None}
    found = current().subscribers.list(authentication.holder().environment_id, asked.ask(), wanted)
    return operations.json_response(page([wire.subscriber(one) for one in found.rows], found))


@operations.get(_ONE, "connections:read", TAG, Subscriber)
def retrieve_subscriber(subscriber_id: str) -> Response:
    """Retrieve a subscriber"""
    return operations.json_response(
        wire.subscriber(current().subscribers.retrieve(authentication.holder().environment_id, subscriber_id))
    )


@operations.patch(_ONE, "connections:write", TAG, Subscriber, UpdateSubscriber)
def update_subscriber(subscriber_id: str) -> Response:
    """Change a subscriber

    What is named is changed; `null` takes it away.
    """

    def act(then: idempotency.BeforeCommit) -> service.Subscriber:
        body = read_body(UpdateSubscriber)
        return current().subscribers.change(authentication.holder().environment_id, subscriber_id, body.profile, then)

    return idempotency.respond_once(act, wire.subscriber, 200)


@operations.delete(_ONE, "connections:write", TAG, SubscriberDeleted, more=(409,))
def delete_subscriber(subscriber_id: str) -> Response:
    """Delete a subscriber to whom no connection belongs, and its channel endpoints"""
    current().subscribers.remove(authentication.holder().environment_id, subscriber_id)
    return operations.json_response({"acknowledged": True, "status": "deleted"})
