"""/v1/channel-connections: models, operations and secrets of a connection."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field, WithJsonSchema

from onboarding import documents
from onboarding.api import operations, providers
from onboarding.api.authentication import caller
from onboarding.api.field_types import (
    EXACT_SET,
    Contexts,
    CursorPage,
    Flag,
    Identifier,
    Keys,
    Mode,
    Moment,
    PageQuery,
    Plain,
    Reference,
    SlackId,
    Text,
    Time,
    Token,
    Wire,
    page,
)
from onboarding.api.idempotency import BeforeCommit, Members, Representation, once
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_query
from onboarding.documents import Connection
from onboarding.outcomes import ConnectionStatus
from onboarding.runtime import current
from onboarding.services.connections.records import (
    Auth,
    ConnectionQuery,
    NewConnection,
    NewCredentials,
    TokenMark,
    Workspace,
    token_digest,
)

TAG = "Channel connections"
_ALL, _ONE = "/v1/channel-connections", "/v1/channel-connections/<identifier>"
#: The member of a stored `auth` that holds the token's digest. It is never sent.
_DIGEST = "digest"
#: Not strict, because a query string has no enums.
Status = Annotated[
    ConnectionStatus, Field(strict=False), WithJsonSchema({"enum": list(ConnectionStatus), "type": "string"})
]


class WorkspaceIn(Wire):
    id: SlackId = Field(examples=["T123456"])
    name: Text | None = Field(None, examples=["Acme HQ"])
    bot_user_id: SlackId | None = None


class AuthIn(Wire):
    access_token: Token = Field(examples=["Workspace access token"])
    refresh_token: Token | None = Field(
        None, description="For tokens that rotate. The server uses it and never shows it."
    )
    expires_at: Moment | None = Field(
        None,
        description="ISO 8601; without a zone, UTC. If it is missing beside a refresh token, the token is refreshed before its first use.",
    )
    refresh_token_expires_at: Moment | None = Field(None, description="ISO 8601; without a zone, UTC.")


class UpdateChannelConnection(Wire):
    """Both are replaced as a whole: members that are left out are removed."""

    workspace: WorkspaceIn = Field(description="The workspace of the token. `verify` asks Slack whether they match.")
    auth: AuthIn


class CreateChannelConnection(UpdateChannelConnection):
    integration_identifier: Reference = Field(examples=["slack-prod"])
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
    has_access_token: bool | None = Field(None, description="There is a token that the key may not see.")
    has_refresh_token: bool | None = Field(None, description="The token rotates. Its refresh token is never shown.")
    expires_at: Time | None = None
    refresh_token_expires_at: Time | None = None


class ChannelConnection(Wire):
    """The documented object, and members that only this server has."""

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
        description="When it was last created, replaced or reconnected; `verify` does not change it."
    )
    connection_mode: Mode = Field(examples=["shared"])
    status: Status = Field(
        examples=["unknown"],
        description="Slack's last answer, to `verify` or an install. `unknown`: not asked yet. `needs_reconnect`: Slack no "
        "longer accepts the token, and `statusReason` says why. `unreachable` and `disconnected` are reserved.",
    )
    status_reason: str | None = Field(None, description="Why the connection does not work, as a sentence.")
    checked_at: Time | None = Field(None, description="The time of Slack's last answer.")
    scopes: list[str] | None = Field(None, description="The scopes that Slack granted.")
    installed_by: str | None = Field(None, description="The id of the Slack user who installed the app.")
    next: list[str] | None = Field(
        None,
        description="The next step: `verify` (ask Slack whether the connection works), `reconnect` or `update_permissions` "
        "(both: send the person an install URL of the same identity).",
    )


class ChannelConnectionQuery(PageQuery):
    subscriber_id: Plain | None = Field(
        None, description="The subscriber's own connections, and the shared ones unless `connectionMode` is given."
    )
    connection_mode: Mode | None = None
    channel: providers.Channel | None = None
    provider_id: providers.Provider | None = None
    integration_identifier: Plain | None = None
    context_keys: Keys | None = Field(None, description=EXACT_SET)
    workspace_id: Plain | None = None
    status: Status | None = None
    search: Plain | None = Field(
        None,
        max_length=255,
        description="Words, or beginnings of words, of the workspace's name or id, the subscriber, the identifier or the "
        "context keys. Each word must be found.",
    )

    def filters(self) -> ConnectionQuery:
        return ConnectionQuery(
            subscriber_id=self.subscriber_id,
            mode=self.connection_mode,
            channel=self.channel,
            provider_id=self.provider_id,
            integration_identifier=self.integration_identifier,
            context_keys=self.context_keys,
            workspace_id=self.workspace_id,
            status=self.status,
            search=self.search,
        )


class DeleteQuery(Wire):
    revoke: Flag = Field(False, description="Remove the app from the workspace, if nothing else there needs it.")


def _show(one: Connection) -> Members:
    return documents.connection(one, with_token=caller().may_see_secrets)


def _redact(members: Members) -> Members:
    """Replace the access token with its digest, by which a later token can be recognized as the same."""
    auth = {**members["auth"], "accessToken": "", "hasAccessToken": True}
    if token := members["auth"]["accessToken"]:
        auth[_DIGEST] = token_digest(token)
    return {**members, "auth": auth}


def _restore(members: Members, connection_id: str | None) -> Members:
    """Put the token back if it is still current and the caller may see it."""
    auth = members["auth"]
    mark = TokenMark(connection_id or "", members["identifier"], members["updatedAt"], auth.pop(_DIGEST, None))
    token = current().connections.current_token(caller(), mark)
    auth |= {"accessToken": token or "", "hasAccessToken": token is not None}
    if token:
        del auth["hasAccessToken"]
    return members


REPRESENTATION = Representation(_show, _redact, _restore, connection_id=lambda one: one.id)


@operations.post(_ALL, Operation(WRITE, TAG, ChannelConnection, body=CreateChannelConnection))
@once(REPRESENTATION)
def create_channel_connection(before_commit: BeforeCommit) -> Connection:
    """Create a channel connection

    One identity (integration, subscriber, exact set of contexts) has one connection. Subscribers and contexts that do not
    exist are created.
    """
    body = read_body(CreateChannelConnection)
    new = NewConnection(
        integration_identifier=body.integration_identifier,
        workspace=_workspace(body.workspace),
        auth=_auth(body.auth),
        identifier=body.identifier,
        subscriber_id=body.subscriber_id,
        contexts=body.context or {},
        mode=body.connection_mode,
    )
    return current().connections.create(caller(), new, before_commit)


@operations.get(_ALL, Operation(READ, TAG, CursorPage[ChannelConnection], query=ChannelConnectionQuery))
def list_channel_connections() -> Response:
    """List channel connections, by cursor"""
    query = read_query(ChannelConnectionQuery)
    found = current().connections.list(caller(), query.page_request(), query.filters())
    return operations.json_response(page(found, _show))


@operations.get(_ONE, Operation(READ, TAG, ChannelConnection))
def retrieve_channel_connection(identifier: str) -> Response:
    """Retrieve a channel connection"""
    return operations.json_response(_show(current().connections.retrieve(caller(), identifier)))


@operations.patch(_ONE, Operation(WRITE, TAG, ChannelConnection, body=UpdateChannelConnection))
@once(REPRESENTATION, 200)
def update_channel_connection(before_commit: BeforeCommit, identifier: str) -> Connection:
    """Replace workspace and credentials

    Both are replaced as a whole: members that are left out are removed. The status becomes `unknown`, and the scopes that
    Slack granted are forgotten.
    """
    body = read_body(UpdateChannelConnection)
    new = NewCredentials(_workspace(body.workspace), _auth(body.auth))
    return current().connections.replace_credentials(caller(), identifier, new, before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, query=DeleteQuery, errors=(422,)))
def delete_channel_connection(identifier: str) -> Response:
    """Delete a channel connection and its endpoints

    The token is revoked at Slack only with `revoke=true`, and never while another connection or a running install uses the
    workspace, or if Slack says that the token belongs to another workspace. `204` says that the connection is deleted,
    even if Slack refused to revoke the token.
    """
    query = read_query(DeleteQuery)
    current().connections.disconnect(caller().environment.id, identifier, caller().actor, query.revoke)
    return operations.no_content()


@operations.post(f"{_ONE}/verify", Operation(WRITE, TAG, ChannelConnection, status=200, errors=(502,)))
@once(REPRESENTATION, 200)
def verify_channel_connection(_before_commit: BeforeCommit, identifier: str) -> Connection:
    """Ask Slack whether the connection works

    A token that rotates is refreshed. If Slack refuses the token, the response is the connection with the `status`
    `needs_reconnect`.
    """
    current().connections.verify(caller().environment.id, identifier)
    return current().connections.retrieve(caller(), identifier)


def _workspace(given: WorkspaceIn) -> Workspace:
    return Workspace(given.id, given.name, given.bot_user_id)


def _auth(given: AuthIn) -> Auth:
    return Auth(given.access_token, given.refresh_token, given.expires_at, given.refresh_token_expires_at)
