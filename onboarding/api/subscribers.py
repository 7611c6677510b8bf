"""/v2/subscribers: create, find, change and delete the subscribers of connections."""

from typing import Any, Literal

from flask import Response
from pydantic import Field

from onboarding import documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import CursorPage, Data, Flag, Identifier, PageQuery, Plain, Time, Wire, page
from onboarding.api.idempotency import BeforeCommit, Representation, once
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_body_and_query, read_query
from onboarding.runtime import current
from onboarding.services.subscribers import SubscriberContent

TAG = "Subscribers"
_ONE = "/v2/subscribers/<subscriber_id>"


class UpdateSubscriber(Wire):
    """The members in the body are changed; null removes one."""

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
        return {name: getattr(self, name) for name in documents.PROFILE if name in self.model_fields_set}


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


class SubscriberQuery(PageQuery):
    subscriber_id: Plain | None = None
    email: Plain | None = None
    phone: Plain | None = None
    name: Plain | None = Field(None, max_length=255, description="A part of the first or last name.")


class SubscriberDeleted(Wire):
    acknowledged: bool = Field(examples=[True])
    status: Literal["deleted"]


REPRESENTATION = Representation(documents.subscriber)


@operations.post(
    "/v2/subscribers", Operation(WRITE, TAG, Subscriber, body=CreateSubscriber, query=CreateSubscriberQuery)
)
@once(REPRESENTATION)
def create_subscriber(before_commit: BeforeCommit) -> documents.Subscriber:
    """Create a subscriber, or change the existing one

    Both return 201, the only success that the official clients accept here.
    """
    body, query = read_body_and_query(CreateSubscriber, CreateSubscriberQuery)
    new = SubscriberContent(body.subscriber_id, body.profile)
    return current().subscribers.create(caller(), new, query.fail_if_exists, before_commit)


@operations.get("/v2/subscribers", Operation(READ, TAG, CursorPage[Subscriber], query=SubscriberQuery))
def list_subscribers() -> Response:
    """List subscribers, by cursor"""
    query = read_query(SubscriberQuery)
    names = ("subscriber_id", "email", "phone", "name")
    filters = {name: value for name in names if (value := getattr(query, name)) is not None}
    found = current().subscribers.list(caller().environment.id, query.page_request(), filters)
    return operations.json_response(page(found, documents.subscriber))


@operations.get(_ONE, Operation(READ, TAG, Subscriber))
def retrieve_subscriber(subscriber_id: str) -> Response:
    """Retrieve a subscriber"""
    found = current().subscribers.retrieve(caller().environment.id, subscriber_id)
    return operations.json_response(documents.subscriber(found))


@operations.patch(_ONE, Operation(WRITE, TAG, Subscriber, body=UpdateSubscriber))
@once(REPRESENTATION, 200)
def update_subscriber(before_commit: BeforeCommit, subscriber_id: str) -> documents.Subscriber:
    """Change a subscriber

    The members in the body are changed; `null` removes one.
    """
    body = read_body(UpdateSubscriber)
    return current().subscribers.change(caller(), SubscriberContent(subscriber_id, body.profile), before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, SubscriberDeleted, errors=(409,)))
def delete_subscriber(subscriber_id: str) -> Response:
    """Delete a subscriber that has no connection, and its channel endpoints"""
    current().subscribers.remove(caller(), subscriber_id)
    return operations.json_response({"acknowledged": True, "status": "deleted"})
