"""/v2/subscribers: create, find, change and delete the subscribers of connections."""

from typing import Any, Literal

from flask import Response
from pydantic import Field

from onboarding import documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import DATA_LIMITS, CreatedAt, Data, Flag, Identifier, Plain, UpdatedAt, Wire
from onboarding.api.idempotency import Representation, once
from onboarding.api.lists import CursorPage, PageQuery, page
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_body_and_query, read_query
from onboarding.before_commit import BeforeCommit
from onboarding.runtime import current
from onboarding.services.subscribers import SubscriberContent

TAG = "Subscribers"
_ONE = "/v2/subscribers/<subscriber_id>"


class UpdateSubscriber(Wire):
    """The members to change. Null removes a member."""

    first_name: Plain | None = Field(None, max_length=255, description="The subscriber's first name.")
    last_name: Plain | None = Field(None, max_length=255, description="The subscriber's last name.")
    email: Plain | None = Field(None, max_length=320, description="The subscriber's email address.")
    phone: Plain | None = Field(None, max_length=100, description="The subscriber's phone number.")
    avatar: Plain | None = Field(None, max_length=2048, description="The URL of the subscriber's picture.")
    locale: Plain | None = Field(None, max_length=100, description="The subscriber's language, such as `en-US`.")
    timezone: Plain | None = Field(
        None, max_length=100, description="The subscriber's time zone, such as `Europe/Berlin`."
    )
    data: Data | None = Field(None, description=f"Your own data about the subscriber, {DATA_LIMITS}.")

    @property
    def profile(self) -> dict[str, Any]:
        # A member that was not sent stays as it is. One that is null is removed.
        return {name: getattr(self, name) for name in documents.PROFILE if name in self.model_fields_set}


class CreateSubscriber(UpdateSubscriber):
    subscriber_id: Identifier = Field(
        examples=["subscriber-123"],
        description="The id of the subscriber in your product, such as a user's or a customer's id.",
    )


class CreateSubscriberQuery(Wire):
    fail_if_exists: Flag = Field(False, description="Whether to return 409 if the subscriber exists.")


class Subscriber(Wire):
    """A customer or user of your product that connections can belong to."""

    organization_id: str = Field(
        alias="_organizationId", description="Always the same value. Some clients require the member."
    )
    environment_id: str = Field(alias="_environmentId", description="The id of the environment.")
    subscriber_id: str = Field(examples=["subscriber-123"], description="The id of the subscriber in your product.")
    first_name: str | None = Field(None, description="The subscriber's first name.")
    last_name: str | None = Field(None, description="The subscriber's last name.")
    email: str | None = Field(None, description="The subscriber's email address.")
    phone: str | None = Field(None, description="The subscriber's phone number.")
    avatar: str | None = Field(None, description="The URL of the subscriber's picture.")
    locale: str | None = Field(None, description="The subscriber's language.")
    timezone: str | None = Field(None, description="The subscriber's time zone.")
    data: dict[str, Any] | None = Field(None, description="Your own data about the subscriber.")
    deleted: bool = Field(description="Always false. A deleted subscriber is not returned.")
    created_at: CreatedAt
    updated_at: UpdatedAt


class SubscriberQuery(PageQuery):
    subscriber_id: Plain | None = Field(None, description="Only return the subscriber with this id.")
    email: Plain | None = Field(None, description="Only return the subscribers with this email address.")
    phone: Plain | None = Field(None, description="Only return the subscribers with this phone number.")
    name: Plain | None = Field(
        None, max_length=255, description="Only return the subscribers whose first or last name contains this text."
    )


class SubscriberDeleted(Wire):
    acknowledged: bool = Field(examples=[True], description="Always true.")
    status: Literal["deleted"] = Field(description="Always `deleted`.")


REPRESENTATION = Representation(documents.subscriber)


@operations.post(
    "/v2/subscribers", Operation(WRITE, TAG, Subscriber, body=CreateSubscriber, query=CreateSubscriberQuery)
)
@once(REPRESENTATION)
def create_subscriber(before_commit: BeforeCommit) -> documents.Subscriber:
    """Create a subscriber

    Creates the subscriber, or updates the members that you send if it exists. Returns 201 in both cases.
    """
    body, query = read_body_and_query(CreateSubscriber, CreateSubscriberQuery)
    new = SubscriberContent(body.subscriber_id, body.profile)
    return current().subscribers.create(caller(), new, query.fail_if_exists, before_commit)


@operations.get("/v2/subscribers", Operation(READ, TAG, CursorPage[Subscriber], query=SubscriberQuery))
def list_subscribers() -> Response:
    """List all subscribers

    Returns a page of subscribers, newest first.
    """
    query = read_query(SubscriberQuery)
    names = ("subscriber_id", "email", "phone", "name")
    filters = {name: value for name in names if (value := getattr(query, name)) is not None}
    found = current().subscribers.list(caller().environment.id, query.page_request(), filters)
    return operations.json_response(page(found, documents.subscriber))


@operations.get(_ONE, Operation(READ, TAG, Subscriber))
def retrieve_subscriber(subscriber_id: str) -> Response:
    """Retrieve a subscriber

    Returns the subscriber with this id.
    """
    found = current().subscribers.retrieve(caller().environment.id, subscriber_id)
    return operations.json_response(documents.subscriber(found))


@operations.patch(_ONE, Operation(WRITE, TAG, Subscriber, body=UpdateSubscriber))
@once(REPRESENTATION, 200)
def update_subscriber(before_commit: BeforeCommit, subscriber_id: str) -> documents.Subscriber:
    """Update a subscriber

    Changes the members that you send. `null` removes a member.
    """
    body = read_body(UpdateSubscriber)
    return current().subscribers.change(caller(), SubscriberContent(subscriber_id, body.profile), before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, SubscriberDeleted, errors=(409,)))
def delete_subscriber(subscriber_id: str) -> Response:
    """Delete a subscriber

    Deletes the subscriber and its channel endpoints. Returns 409 while a connection belongs to the subscriber.
    """
    current().subscribers.remove(caller(), subscriber_id)
    return operations.json_response({"acknowledged": True, "status": "deleted"})
