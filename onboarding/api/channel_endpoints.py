"""/v1/channel-endpoints, for the three types of Slack."""

from typing import Any, Literal

from flask import Response
from pydantic import Field, ValidationInfo, field_validator

from onboarding import documents
from onboarding.api import operations, providers
from onboarding.api.authentication import caller
from onboarding.api.endpoint_targets import EXAMPLE, FORMATS_IN_WORDS, Target, check_format, formatted
from onboarding.api.field_types import Contexts, CreatedAt, Identifier, Plain, Reference, UpdatedAt, Wire
from onboarding.api.idempotency import Members, Representation, once
from onboarding.api.lists import EXACT_SET, CursorPage, Keys, PageQuery, page
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_query
from onboarding.before_commit import BeforeCommit
from onboarding.runtime import current
from onboarding.services.channel_endpoints import EndpointQuery, NewEndpoint

TAG = "Channel endpoints"
Kind = Literal["slack_channel", "slack_user", "webhook"]
_ALL, _ONE = "/v1/channel-endpoints", "/v1/channel-endpoints/<identifier>"


class CreateChannelEndpoint(Wire):
    integration_identifier: Reference = Field(
        examples=["slack-prod"], description="The identifier of the integration, your Slack app."
    )
    subscriber_id: Identifier = Field(
        examples=["subscriber-123"], description="The id of the subscriber that receives the messages."
    )
    type: Kind = Field(description="The kind of target.")
    endpoint: Target = Field(
        description=f"The target, in the format of its type: {FORMATS_IN_WORDS}.", examples=[EXAMPLE]
    )
    identifier: Identifier | None = Field(
        None,
        description="An identifier of your choice, unique in the environment. If you leave it out, the server generates one.",
    )
    connection_identifier: Reference | None = Field(
        None, description="The identifier of the channel connection whose workspace contains the target."
    )
    context: Contexts = None
    create_subscriber_if_missing: bool | None = Field(
        None,
        description="Whether to create a subscriber that does not exist. The default is the environment's setting.",
    )

    @field_validator("endpoint")
    @classmethod
    def _has_format_of_its_type(cls, endpoint: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Absent if the type is invalid, which is an error of its own.
        if "type" in info.data:
            formatted(info.data["type"], endpoint)
        return endpoint


class UpdateChannelEndpoint(Wire):
    endpoint: Target = Field(
        description=f"The new target, in the format of the endpoint's type: {FORMATS_IN_WORDS}.", examples=[EXAMPLE]
    )


class ChannelEndpoint(Wire):
    """A channel, a user or an incoming webhook that messages for a subscriber go to."""

    identifier: str = Field(
        examples=["endpoint-1"], description="The endpoint's identifier, unique in the environment."
    )
    channel: Literal["chat"] = Field(description="Always `chat`.")
    provider_id: Literal["slack"] = Field(description="Always `slack`.")
    integration_identifier: str = Field(examples=["slack-prod"], description="The identifier of the integration.")
    connection_identifier: str | None = Field(
        description="The identifier of the channel connection that the endpoint belongs to, if any."
    )
    subscriber_id: str = Field(
        examples=["subscriber-123"], description="The id of the subscriber that receives the messages."
    )
    context_keys: list[str] = Field(examples=[[]], description="The endpoint's contexts, each as `type:id`.")
    type: Kind = Field(description="The kind of target.")
    endpoint: dict[str, Any] = Field(
        description="The target, in the format of its type. The `url` of a webhook is empty if the API key lacks the scope "
        "`connections:secrets`. A target that the server cannot decrypt is empty; a PATCH replaces it.",
        examples=[EXAMPLE],
    )
    status: Literal["active", "archived", "deleted"] = Field(
        description="Whether the Slack channel was archived or deleted, from Slack's events. `active` for a target that Slack has "
        "reported nothing about; a PATCH sets it to `active`."
    )
    created_at: CreatedAt
    updated_at: UpdatedAt


class ChannelEndpointQuery(PageQuery):
    subscriber_id: Plain | None = Field(None, description="Only return the endpoints of this subscriber.")
    channel: providers.Channel | None = Field(
        None, description="Only return the endpoints of this channel. All endpoints have the channel `chat`."
    )
    provider_id: providers.Provider | None = Field(
        None, description="Only return the endpoints of this provider. All endpoints have the provider `slack`."
    )
    integration_identifier: Plain | None = Field(None, description="Only return the endpoints of this integration.")
    connection_identifier: Plain | None = Field(None, description="Only return the endpoints of this connection.")
    context_keys: Keys | None = Field(None, description=EXACT_SET)

    def filters(self) -> EndpointQuery:
        return EndpointQuery(
            subscriber_id=self.subscriber_id,
            channel=self.channel,
            provider_id=self.provider_id,
            integration_identifier=self.integration_identifier,
            connection_identifier=self.connection_identifier,
            context_keys=self.context_keys,
        )


def _show(one: documents.ChannelEndpoint) -> Members:
    return documents.channel_endpoint(one, with_secret=caller().may_see_secrets)


def _redact(members: Members) -> Members:
    """Remove a webhook's address."""
    if "url" not in members["endpoint"]:
        return members
    return {**members, "endpoint": {**members["endpoint"], "url": ""}}


def _restore(members: Members, _connection_id: str | None) -> Members:
    """Put a webhook's address back if the endpoint is unchanged and the caller may see it."""
    if "url" in members["endpoint"]:
        times = members["createdAt"], members["updatedAt"]
        members["endpoint"]["url"] = current().channel_endpoints.webhook_url(caller(), members["identifier"], *times)
    return members


REPRESENTATION = Representation(_show, _redact, _restore)


@operations.post(_ALL, Operation(WRITE, TAG, ChannelEndpoint, body=CreateChannelEndpoint))
@once(REPRESENTATION)
def create_channel_endpoint(before_commit: BeforeCommit) -> documents.ChannelEndpoint:
    """Create a channel endpoint

    Creates an endpoint for a subscriber. The server creates contexts that do not exist.
    """
    body = read_body(CreateChannelEndpoint)
    new = NewEndpoint(
        integration_identifier=body.integration_identifier,
        subscriber_id=body.subscriber_id,
        type=body.type,
        endpoint=check_format(body.type, body.endpoint),
        identifier=body.identifier,
        connection_identifier=body.connection_identifier,
        contexts=body.context or {},
        create_subscriber=body.create_subscriber_if_missing,
    )
    return current().channel_endpoints.create(caller(), new, before_commit)


@operations.get(_ALL, Operation(READ, TAG, CursorPage[ChannelEndpoint], query=ChannelEndpointQuery))
def list_channel_endpoints() -> Response:
    """List all channel endpoints

    Returns a page of endpoints, newest first.
    """
    query = read_query(ChannelEndpointQuery)
    found = current().channel_endpoints.list(caller(), query.page_request(), query.filters())
    return operations.json_response(page(found, _show))


@operations.get(_ONE, Operation(READ, TAG, ChannelEndpoint))
def retrieve_channel_endpoint(identifier: str) -> Response:
    """Retrieve a channel endpoint

    Returns the endpoint with this identifier.
    """
    return operations.json_response(_show(current().channel_endpoints.retrieve(caller(), identifier)))


@operations.patch(_ONE, Operation(WRITE, TAG, ChannelEndpoint, body=UpdateChannelEndpoint))
@once(REPRESENTATION, 200)
def update_channel_endpoint(before_commit: BeforeCommit, identifier: str) -> documents.ChannelEndpoint:
    """Update a channel endpoint

    Replaces the target. The type cannot be changed.
    """
    endpoint = read_body(UpdateChannelEndpoint).endpoint
    return current().channel_endpoints.change(
        caller(), identifier, lambda kind: check_format(kind, endpoint), before_commit
    )


@operations.delete(_ONE, Operation(WRITE, TAG))
def delete_channel_endpoint(identifier: str) -> Response:
    """Delete a channel endpoint

    Returns 204 without a body.
    """
    current().channel_endpoints.remove(caller(), identifier)
    return operations.no_content()
