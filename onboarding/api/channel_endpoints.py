"""/v1/channel-endpoints, for the three types of Slack."""

from typing import Any, Literal

from flask import Response
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from onboarding import documents
from onboarding.api import operations, providers
from onboarding.api.authentication import caller
from onboarding.api.field_types import (
    EXACT_SET,
    Contexts,
    CursorPage,
    Identifier,
    Keys,
    PageQuery,
    Plain,
    Reference,
    Text,
    Time,
    Wire,
    page,
)
from onboarding.api.idempotency import BeforeCommit, Members, Representation, once
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.problems import ValidationFailed
from onboarding.api.request_parsing import note_ignored, read_body, read_query
from onboarding.runtime import current
from onboarding.services.channel_endpoints import EndpointQuery, NewEndpoint

TAG = "Channel endpoints"
Kind = Literal["slack_channel", "slack_user", "webhook"]
_ALL, _ONE = "/v1/channel-endpoints", "/v1/channel-endpoints/<identifier>"


class SlackChannel(Wire):
    channel_id: Reference


class SlackUser(Wire):
    user_id: Reference


class Webhook(Wire):
    url: Plain = Field(min_length=1, max_length=2048, pattern=r"^https?://[^/?#\s]+")
    channel: Text | None = None


_FORMATS: dict[str, type[Wire]] = {"slack_channel": SlackChannel, "slack_user": SlackUser, "webhook": Webhook}
_FORMATS_IN_WORDS = "`{channelId}` of a `slack_channel`, `{userId}` of a `slack_user`, `{url}` of a `webhook`, which may have a `channel`, too"
_EXAMPLE = {"channelId": "C0123456789"}


def _formatted(kind: str, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        return _FORMATS[kind].model_validate(endpoint).model_dump(by_alias=True, exclude_none=True)
    except ValidationError:
        raise ValueError(f'Endpoint must match the required format for type "{kind}"') from None


class CreateChannelEndpoint(Wire):
    integration_identifier: Reference = Field(examples=["slack-prod"])
    subscriber_id: Identifier = Field(examples=["subscriber-123"])
    type: Kind
    endpoint: dict[str, Any] = Field(description=f"{_FORMATS_IN_WORDS}.", examples=[_EXAMPLE])
    identifier: Identifier | None = None
    connection_identifier: Reference | None = None
    context: Contexts = None
    create_subscriber_if_missing: bool | None = Field(None, description="By default, the environment's setting.")

    @field_validator("endpoint")
    @classmethod
    def _has_format_of_its_type(cls, endpoint: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "type" in info.data:
            _formatted(info.data["type"], endpoint)
        return endpoint


class UpdateChannelEndpoint(Wire):
    endpoint: dict[str, Any] = Field(description="In the format of the stored type.", examples=[_EXAMPLE])


class ChannelEndpoint(Wire):
    identifier: str = Field(examples=["endpoint-1"])
    channel: Literal["chat"]
    provider_id: Literal["slack"]
    integration_identifier: str = Field(examples=["slack-prod"])
    connection_identifier: str | None
    subscriber_id: str = Field(examples=["subscriber-123"])
    context_keys: list[str] = Field(examples=[[]])
    type: Kind
    endpoint: dict[str, Any] = Field(
        description="A webhook's `url` is empty for keys without `connections:secrets`.", examples=[_EXAMPLE]
    )
    created_at: Time
    updated_at: Time


class ChannelEndpointQuery(PageQuery):
    subscriber_id: Plain | None = None
    channel: providers.Channel | None = None
    provider_id: providers.Provider | None = None
    integration_identifier: Plain | None = None
    connection_identifier: Plain | None = None
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
        url = current().channel_endpoints.webhook_url(caller(), members["identifier"], *times)
        members["endpoint"]["url"] = url
    return members


REPRESENTATION = Representation(_show, _redact, _restore)


@operations.post(_ALL, Operation(WRITE, TAG, ChannelEndpoint, body=CreateChannelEndpoint))
@once(REPRESENTATION)
def create_channel_endpoint(before_commit: BeforeCommit) -> documents.ChannelEndpoint:
    """Create a channel endpoint"""
    body = read_body(CreateChannelEndpoint)
    new = NewEndpoint(
        integration_identifier=body.integration_identifier,
        subscriber_id=body.subscriber_id,
        type=body.type,
        endpoint=_checked(body.type, body.endpoint),
        identifier=body.identifier,
        connection_identifier=body.connection_identifier,
        contexts=body.context or {},
        create_subscriber=body.create_subscriber_if_missing,
    )
    return current().channel_endpoints.create(caller(), new, before_commit)


@operations.get(_ALL, Operation(READ, TAG, CursorPage[ChannelEndpoint], query=ChannelEndpointQuery))
def list_channel_endpoints() -> Response:
    """List channel endpoints, by cursor"""
    query = read_query(ChannelEndpointQuery)
    found = current().channel_endpoints.list(caller(), query.page_request(), query.filters())
    return operations.json_response(page(found, _show))


@operations.get(_ONE, Operation(READ, TAG, ChannelEndpoint))
def retrieve_channel_endpoint(identifier: str) -> Response:
    """Retrieve a channel endpoint"""
    return operations.json_response(_show(current().channel_endpoints.retrieve(caller(), identifier)))


@operations.patch(_ONE, Operation(WRITE, TAG, ChannelEndpoint, body=UpdateChannelEndpoint))
@once(REPRESENTATION, 200)
def update_channel_endpoint(before_commit: BeforeCommit, identifier: str) -> documents.ChannelEndpoint:
    """Replace a channel endpoint's target"""
    endpoint = read_body(UpdateChannelEndpoint).endpoint
    return current().channel_endpoints.change(
        caller(), identifier, lambda kind: _checked(kind, endpoint), before_commit
    )


@operations.delete(_ONE, Operation(WRITE, TAG))
def delete_channel_endpoint(identifier: str) -> Response:
    """Delete a channel endpoint"""
    current().channel_endpoints.remove(caller(), identifier)
    return operations.no_content()


def _checked(kind: str, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Return the known members of `endpoint`. Raises ValidationFailed if it does not have the format of its type."""
    note_ignored(endpoint, _FORMATS[kind], "endpoint.")
    try:
        return _formatted(kind, endpoint)
    except ValueError as problem:
        raise ValidationFailed({"endpoint": {"messages": [str(problem)]}}) from None
