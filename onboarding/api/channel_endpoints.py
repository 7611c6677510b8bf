"""/v1/channel-endpoints (contract.md A3, C2.4), for the three types that Slack has."""

from collections.abc import Sequence
from typing import Any, Literal

from flask import Response
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from onboarding.api import authentication, idempotency, operations, providers, wire
from onboarding.api.field_types import EXACT_SET, Contexts, Identifier, Keys, PageQuery, Plain, Text, Time, Wire, page
from onboarding.api.problems import ValidationFailed
from onboarding.api.request_parsing import note_ignored, read_body, read_query
from onboarding.runtime import current
from onboarding.services.channel_endpoints import Endpoint, EndpointQuery, NewEndpoint

TAG = "Channel endpoints"
Kind = Literal["slack_channel", "slack_user", "webhook"]
_ONE = "/v1/channel-endpoints/<identifier>"


class SlackChannel(Wire):
    channel_id: Text


class SlackUser(Wire):
    user_id: Text


class Webhook(Wire):
    url: Plain = Field(min_length=1, max_length=2048, pattern=r"^https?://[^/?#\s]+")
    channel: Text | None = None


_FORMS: dict[str, type[Wire]] = {"slack_channel": SlackChannel, "slack_user": SlackUser, "webhook": Webhook}
_FORMS_IN_WORDS = "`{channelId}` of a `slack_channel`, `{userId}` of a `slack_user`, `{url}` of a `webhook`, which may have a `channel`, too"
_EXAMPLE = {"channelId": "C0123456789"}


def _fitting(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        return _FORMS[kind].model_validate(told).model_dump(by_alias=True, exclude_none=True)
    except ValidationError:
        raise ValueError(f'Endpoint must match the required format for type "{kind}"') from None


class CreateChannelEndpoint(Wire):
    integration_identifier: Text = Field(examples=["slack-prod"])
    subscriber_id: Identifier = Field(examples=["subscriber-123"])
    type: Kind
    endpoint: dict[str, Any] = Field(description=f"{_FORMS_IN_WORDS}.", examples=[_EXAMPLE])
    identifier: Identifier | None = None
    connection_identifier: Text | None = None
    context: Contexts = None
    create_subscriber_if_missing: bool | None = Field(None, description="Unless given, the environment decides.")

    @field_validator("endpoint")
    @classmethod
    def _fits_its_type(cls, told: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "type" in info.data:
            _fitting(info.data["type"], told)
        return told


class UpdateChannelEndpoint(Wire):
    endpoint: dict[str, Any] = Field(description="Of the type that is stored.", examples=[_EXAMPLE])


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


class ChannelEndpointPage(Wire):
    data: list[ChannelEndpoint]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


class ChannelEndpointQuery(PageQuery):
    subscriber_id: Plain | None = None
    channel: Literal["in_app", "email", "sms", "chat", "push"] | None = None
    provider_id: providers.Provider | None = None
    integration_identifier: Plain | None = None
    connection_identifier: Plain | None = None
    context_keys: Keys | None = Field(None, description=EXACT_SET)


@operations.post("/v1/channel-endpoints", "connections:write", TAG, ChannelEndpoint, CreateChannelEndpoint)
def create_channel_endpoint() -> Response:
    """Create a channel endpoint"""
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> Endpoint:
        wish = _wish(read_body(CreateChannelEndpoint))
        return current().channel_endpoints.create(
            who.environment_id, who.environment_name, who.creates_subscribers, wish, then
        )

    return idempotency.respond_once(act, show)


@operations.get("/v1/channel-endpoints", "connections:read", TAG, ChannelEndpointPage, ChannelEndpointQuery)
def list_channel_endpoints() -> Response:
    """List channel endpoints, by cursor"""
    asked = read_query(ChannelEndpointQuery)
    query = EndpointQuery(
        subscriber_id=asked.subscriber_id,
        channel=asked.channel,
        provider_id=asked.provider_id,
        integration_identifier=asked.integration_identifier,
        connection_identifier=asked.connection_identifier,
        context_keys=asked.context_keys,
    )
    found = current().channel_endpoints.list(authentication.holder().environment_id, asked.ask(), query)
    _note_read(found.rows, "endpoints")
    return operations.json_response(page([show(one) for one in found.rows], found))


@operations.get(_ONE, "connections:read", TAG, ChannelEndpoint)
def retrieve_channel_endpoint(identifier: str) -> Response:
    """Retrieve a channel endpoint"""
    found = current().channel_endpoints.retrieve(authentication.holder().environment_id, identifier)
    _note_read([found], identifier)
    return operations.json_response(show(found))


@operations.patch(_ONE, "connections:write", TAG, ChannelEndpoint, UpdateChannelEndpoint)
def update_channel_endpoint(identifier: str) -> Response:
    """Replace where it leads to"""
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> Endpoint:
        endpoint = read_body(UpdateChannelEndpoint).endpoint
        return current().channel_endpoints.change(
            who.environment_id, who.environment_name, identifier, lambda kind: _formed(kind, endpoint), then
        )

    return idempotency.respond_once(act, show, 200)


@operations.delete(_ONE, "connections:write", TAG)
def delete_channel_endpoint(identifier: str) -> Response:
    """Delete a channel endpoint"""
    current().channel_endpoints.remove(authentication.holder().environment_id, identifier)
    return operations.no_content()


def _note_read(found: Sequence[Endpoint], subject: str) -> None:
    """A webhook's address is a credential: whoever has it can post there."""
    if authentication.may_see_secrets() and any("url" in one.endpoint for one in found):
        current().credential_audit.note(authentication.holder().environment_id, authentication.holder().actor, subject)


def show(one: Endpoint) -> dict[str, Any]:
    endpoint = dict(one.endpoint)
    if "url" in endpoint and not authentication.may_see_secrets():
        endpoint["url"] = ""
    return {
        "identifier": one.identifier,
        "channel": "chat",
        "providerId": "slack",
        "integrationIdentifier": one.integration_identifier,
        "connectionIdentifier": one.connection_identifier,
        "subscriberId": one.subscriber_id,
        "contextKeys": one.context_keys,
        "type": one.type,
        "endpoint": endpoint,
        "createdAt": wire.moment(one.created_at),
        "updatedAt": wire.moment(one.updated_at),
    }


def _wish(body: CreateChannelEndpoint) -> NewEndpoint:
    return NewEndpoint(
        integration_identifier=body.integration_identifier,
        subscriber_id=body.subscriber_id,
        type=body.type,
        endpoint=_formed(body.type, body.endpoint),
        identifier=body.identifier,
        connection_identifier=body.connection_identifier,
        contexts=body.context or {},
        create_subscriber=body.create_subscriber_if_missing,
    )


def _formed(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationFailed when the endpoint does not fit its type."""
    note_ignored(told, _FORMS[kind], "endpoint.")
    try:
        return _fitting(kind, told)
    except ValueError as problem:
        raise ValidationFailed({"endpoint": {"messages": [str(problem)]}}) from None
