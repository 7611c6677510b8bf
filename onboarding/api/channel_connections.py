"""/v1/channel-connections (contract.md A3): read_body() and show() beside each other."""

from typing import Any, Literal

from flask import Response
from pydantic import Field

from onboarding.api import authentication, idempotency, operations, providers, wire
from onboarding.api.field_types import (
    EXACT_SET,
    Contexts,
    Flag,
    Identifier,
    Keys,
    Mode,
    Moment,
    PageQuery,
    Plain,
    SlackId,
    Text,
    Time,
    Token,
    Wire,
    page,
)
from onboarding.api.request_parsing import read_body, read_query
from onboarding.callers import Actor, ActorKind
from onboarding.runtime import current
from onboarding.services.connections.records import Auth, Connection, ConnectionQuery, NewConnection, Workspace

TAG = "Channel connections"
Status = Literal["healthy", "needs_reconnect", "unreachable", "unknown", "disconnected"]


class WorkspaceIn(Wire):
    id: SlackId = Field(examples=["T123456"])
    name: Text | None = Field(None, examples=["Acme HQ"])
    bot_user_id: SlackId | None = None


class AuthIn(Wire):
    access_token: Token = Field(examples=["Workspace access token"])
    refresh_token: Token | None = Field(None, description="For tokens that rotate. It is used here, and never shown.")
    expires_at: Moment | None = Field(
        None,
        description="ISO 8601; without a zone, UTC. Beside a refresh token that has none: now, so that it is refreshed first.",
    )
    refresh_token_expires_at: Moment | None = Field(None, description="Likewise.")


class UpdateChannelConnection(Wire):
    """Both are replaced whole: what is left out is gone."""

    workspace: WorkspaceIn = Field(description="Whose token it is. `verify` asks Slack whether that is so.")
    auth: AuthIn


class CreateChannelConnection(UpdateChannelConnection):
    integration_identifier: Text = Field(examples=["slack-prod"])
    identifier: Identifier | None = Field(None, examples=["slack-prod-user123-abc4"])
    subscriber_id: Identifier | None = Field(None, examples=["subscriber-123"])
    context: Contexts = Field(None, examples=[{"key": "org-acme"}])
    connection_mode: Mode | None = Field(None, examples=["shared"], description="See *Identity and modes*.")


class WorkspaceOut(Wire):
    id: str = Field(examples=["T123456"])
    name: str | None = Field(None, examples=["Acme HQ"])
    bot_user_id: str | None = None


class AuthOut(Wire):
    """`accessToken` is empty, and `hasAccessToken` beside it, for keys without `connections:secrets`."""

    access_token: str = Field(examples=["Workspace access token"])
    has_access_token: bool | None = Field(None, description="The key may not see the token, and there is one.")
    has_refresh_token: bool | None = Field(None, description="It rotates. A refresh token is never shown.")
    expires_at: Time | None = None
    refresh_token_expires_at: Time | None = None


class ChannelConnection(Wire):
    """The documented object, and beside it what this server knows more."""

    identifier: str = Field(examples=["slack-prod-user123-abc4"])
    channel: Literal["chat"]
    provider_id: Literal["slack"]
    integration_identifier: str = Field(examples=["slack-prod"])
    subscriber_id: str | None = Field(description="Null in shared mode, always.", examples=[None])
    context_keys: list[str] = Field(
        description="`type:id`, in the order in which they were given.", examples=[["key:org-acme"]]
    )
    workspace: WorkspaceOut
    auth: AuthOut
    created_at: Time
    updated_at: Time = Field(
        description="When it was last made, replaced or reconnected; asking Slack does not move it."
    )
    connection_mode: Mode = Field(examples=["shared"])
    status: Status = Field(
        examples=["unknown"],
        description="What Slack said when it was last asked, by verify or by an install. `unknown`: not asked yet. "
        "`needs_reconnect`: Slack does not accept the token any more, `statusReason` says why. `unreachable` and "
        "`disconnected` are reserved.",
    )
    status_reason: str | None = Field(None, description="In words, where the connection is broken.")
    checked_at: Time | None = Field(None, description="When Slack was last asked.")
    scopes: list[str] | None = Field(None, description="What Slack granted.")
    installed_by: str | None = Field(None, description="The Slack user who installed.")
    next: list[str] | None = Field(
        None,
        description="What to do: `verify` (ask Slack whether it works), `reconnect` or `update_permissions` (both: "
        "send the person an install address of the same identity).",
    )


class ChannelConnectionPage(Wire):
    data: list[ChannelConnection]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


class ChannelConnectionQuery(PageQuery):
    subscriber_id: Plain | None = Field(
        None, description="Their own connections, and the shared ones unless a mode is named."
    )
    connection_mode: Mode | None = None
    channel: Literal["in_app", "email", "sms", "chat", "push"] | None = None
    provider_id: providers.Provider | None = None
    integration_identifier: Plain | None = None
    context_keys: Keys | None = Field(None, description=EXACT_SET)
    workspace_id: Plain | None = None
    status: Status | None = None
    search: Plain | None = Field(
        None,
        max_length=255,
        description="The beginning of a workspace's name, a subscriber or an identifier; or a workspace's id.",
    )


class DeleteQuery(Wire):
    revoke: Flag = Field(False, description="Take the app out of the workspace, if nothing else there needs it.")


@operations.post("/v1/channel-connections", "connections:write", TAG, ChannelConnection, CreateChannelConnection)
def create_channel_connection() -> Response:
    """Create a channel connection

    One identity (integration, subscriber, exact set of contexts) has one connection. A subscriber and contexts that are not there
    yet are made.
    """
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> Connection:
        wish = _wish(read_body(CreateChannelConnection))
        made = current().connections.create(
            who.environment_id, who.environment_name, who.creates_subscribers, wish, who.actor, then
        )
        return _noted(made, wish.auth)

    return idempotency.respond_once(act, show, 201, lambda made: made.id)


@operations.get("/v1/channel-connections", "connections:read", TAG, ChannelConnectionPage, ChannelConnectionQuery)
def list_channel_connections() -> Response:
    """List channel connections, by cursor"""
    asked = read_query(ChannelConnectionQuery)
    who, secrets = authentication.holder(), authentication.may_see_secrets()
    found = current().connections.list(who.environment_id, asked.ask(), _query(asked), secrets)
    if secrets and found.rows:
        narrowed = asked.model_dump_json(exclude_none=True, exclude={"limit", "after", "before"})
        detail = f"{narrowed.replace(' ', '+')} count={found.total}"
        current().credential_audit.note(who.environment_id, who.actor, "list", detail)
    return operations.json_response(page([documented(one, secrets) for one in found.rows], found))


@operations.get("/v1/channel-connections/<identifier>", "connections:read", TAG, ChannelConnection)
def retrieve_channel_connection(identifier: str) -> Response:
    """Retrieve a channel connection"""
    return operations.json_response(show(_read(identifier)))


@operations.patch(
    "/v1/channel-connections/<identifier>", "connections:write", TAG, ChannelConnection, UpdateChannelConnection
)
def update_channel_connection(identifier: str) -> Response:
    """Replace workspace and credentials

    Both are replaced whole: what is left out is gone. The status is `unknown` again, and what Slack granted is forgotten.
    """
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> Connection:
        body = read_body(UpdateChannelConnection)
        place, auth = _workspace(body.workspace), _auth(body.auth)
        made = current().connections.replace_credentials(who.environment_id, identifier, place, auth, who.actor, then)
        return _noted(made, auth)

    return idempotency.respond_once(act, show, 200, lambda made: made.id)


@operations.delete("/v1/channel-connections/<identifier>", "connections:write", TAG, query=DeleteQuery, more=(422,))
def delete_channel_connection(identifier: str) -> Response:
    """Delete a channel connection, and its endpoints

    The token is revoked at Slack only with `revoke=true`, and never while another connection has the workspace, somebody is just
    connecting it, or Slack says that it belongs to another one. `204` says that the connection is gone, whatever Slack answered.
    """
    asked, who = read_query(DeleteQuery), authentication.holder()
    current().connections.disconnect(who.environment_id, identifier, Actor(ActorKind.API_KEY, who.key_id), asked.revoke)
    return operations.no_content()


@operations.post(
    "/v1/channel-connections/<identifier>/verify",
    "connections:write",
    TAG,
    ChannelConnection,
    None,
    status=200,
    more=(502,),
)
def verify_channel_connection(identifier: str) -> Response:
    """Ask Slack whether the connection works

    A token that rotates is refreshed. Where Slack refuses, the answer is the connection with `status` `needs_reconnect`.
    """

    def act(_then: idempotency.BeforeCommit) -> Connection:
        current().connections.verify(authentication.holder().environment_id, identifier)
        return _read(identifier)

    return idempotency.respond_once(act, show, 200, lambda made: made.id)


def show(one: Connection) -> dict[str, Any]:
    """The documented members, as far as the key may see them."""
    return documented(one, authentication.may_see_secrets())


def documented(one: Connection, secrets: bool) -> dict[str, Any]:
    """The documented object. What may be missing is left out: an official client rejects null there (contract.md C1)."""
    members: dict[str, Any] = {
        "identifier": one.identifier,
        "channel": one.channel,
        "providerId": one.provider_id,
        "integrationIdentifier": one.integration_identifier,
        "subscriberId": one.subscriber_id,
        "contextKeys": one.context_keys,
        "workspace": _shown_workspace(one),
        "auth": _shown_auth(one, secrets),
        "createdAt": wire.moment(one.created_at),
        "updatedAt": wire.moment(one.updated_at),
        "connectionMode": one.mode,
        "status": one.status,
    }
    if one.status_reason is not None:
        members["statusReason"] = one.status_reason
    if one.checked_at is not None:
        members["checkedAt"] = wire.moment(one.checked_at)
    if one.scopes:
        members["scopes"] = one.scopes
    if one.installed_by is not None:
        members["installedBy"] = one.installed_by
    if one.next_steps:
        members["next"] = one.next_steps
    return members


def _shown_workspace(one: Connection) -> dict[str, str]:
    workspace = {"id": one.workspace_id}
    if one.workspace_name is not None:
        workspace["name"] = one.workspace_name
    if one.bot_user_id is not None:
        workspace["botUserId"] = one.bot_user_id
    return workspace


def _shown_auth(one: Connection, secrets: bool) -> dict[str, Any]:
    auth: dict[str, Any] = {"accessToken": ""}
    if one.access_token is not None and secrets:
        auth["accessToken"] = one.access_token
    else:
        auth["hasAccessToken"] = True
    if one.has_refresh_token:
        auth["hasRefreshToken"] = True
    if one.token_expires_at:
        auth["expiresAt"] = wire.moment(one.token_expires_at)
    if one.refresh_token_expires_at:
        auth["refreshTokenExpiresAt"] = wire.moment(one.refresh_token_expires_at)
    return auth


def _read(identifier: str) -> Connection:
    """With its token where the key may see it, which is noted first. Raises NotFound."""
    who, secrets = authentication.holder(), authentication.may_see_secrets()
    found = current().connections.retrieve(who.environment_id, identifier, secrets)
    if secrets:
        current().credential_audit.note(who.environment_id, who.actor, identifier)
    return found


def _noted(made: Connection, given: Auth) -> Connection:
    """Who gives a refresh token that others gave before is told what came of it since: that is a read."""
    if made.access_token != given.access_token and authentication.may_see_secrets():
        current().credential_audit.note(
            authentication.holder().environment_id, authentication.holder().actor, made.identifier
        )
    return made


def _wish(body: CreateChannelConnection) -> NewConnection:
    return NewConnection(
        integration_identifier=body.integration_identifier,
        workspace=_workspace(body.workspace),
        auth=_auth(body.auth),
        identifier=body.identifier,
        subscriber_id=body.subscriber_id,
        contexts=body.context or {},
        mode=body.connection_mode,
    )


def _workspace(told: WorkspaceIn) -> Workspace:
    return Workspace(told.id, told.name, told.bot_user_id)


def _auth(told: AuthIn) -> Auth:
    return Auth(told.access_token, told.refresh_token, told.expires_at, told.refresh_token_expires_at)


def _query(asked: ChannelConnectionQuery) -> ConnectionQuery:
    return ConnectionQuery(
        subscriber_id=asked.subscriber_id,
        mode=asked.connection_mode,
        channel=asked.channel,
        provider_id=asked.provider_id,
        integration_identifier=asked.integration_identifier,
        context_keys=asked.context_keys,
        workspace_id=asked.workspace_id,
        status=asked.status,
        search=asked.search,
    )
