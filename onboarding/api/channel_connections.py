"""/v1/channel-connections: models, operations and secrets of a connection."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field, WithJsonSchema

from onboarding import documents
from onboarding.api import operations, providers
from onboarding.api.authentication import caller
from onboarding.api.field_types import (
    Contexts,
    Flag,
    Identifier,
    Mode,
    Plain,
    Reference,
    SlackId,
    Text,
    Time,
    TimeIn,
    Token,
    Wire,
)
from onboarding.api.idempotency import Members, Representation, once
from onboarding.api.lists import EXACT_SET, CursorPage, Keys, PageQuery, page
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_query
from onboarding.before_commit import BeforeCommit
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
    id: SlackId = Field(
        examples=["T123456"],
        description="The workspace's id at Slack. It begins with `T`, or with `E` for an organization.",
    )
    name: Text | None = Field(None, examples=["Acme HQ"], description="The workspace's name, for lists and pages.")
    bot_user_id: SlackId | None = Field(None, description="The id of your app's bot user in the workspace.")


class AuthIn(Wire):
    access_token: Token = Field(
        examples=["Workspace access token"],
        description="The token that Slack issued to your app. A bot token begins with `xoxb`.",
    )
    refresh_token: Token | None = Field(
        None, description="The refresh token, if the token rotates. The server uses it and never returns it."
    )
    expires_at: TimeIn | None = Field(
        None,
        description="When the access token expires. Without a zone, UTC. If you send a refresh token and leave this out, the server "
        "refreshes the token before its first use.",
    )
    refresh_token_expires_at: TimeIn | None = Field(
        None, description="When the refresh token expires. Without a zone, UTC."
    )


class UpdateChannelConnection(Wire):
    """The new workspace and credentials. Each is replaced as a whole: members that you leave out are removed."""

    workspace: WorkspaceIn = Field(
        description="The workspace that the token belongs to. Verify the connection to check this with Slack."
    )
    auth: AuthIn = Field(description="The credentials of your app in the workspace.")


class CreateChannelConnection(UpdateChannelConnection):
    integration_identifier: Reference = Field(
        examples=["slack-prod"], description="The identifier of the integration, your Slack app."
    )
    identifier: Identifier | None = Field(
        None,
        examples=["slack-prod-user123-abc4"],
        description="An identifier of your choice, unique in the environment. If you leave it out, the server generates one.",
    )
    subscriber_id: Identifier | None = Field(
        None,
        description="The id of the subscriber that the connection belongs to. Required in subscriber mode, ignored in shared mode.",
    )
    context: Contexts = Field(None, examples=[{"key": "org-acme"}])
    connection_mode: Mode | None = Field(
        None,
        examples=["shared"],
        description="`subscriber` creates a connection of one subscriber, `shared` one that belongs to its contexts alone. The default "
        "is `subscriber` if you send a `subscriberId`, and `shared` otherwise.",
    )


class WorkspaceOut(Wire):
    id: str = Field(examples=["T123456"], description="The workspace's id at Slack.")
    name: str | None = Field(None, examples=["Acme HQ"], description="The workspace's name.")
    bot_user_id: str | None = Field(None, description="The id of your app's bot user in the workspace.")


class AuthOut(Wire):
    """The credentials of a connection."""

    access_token: str = Field(
        examples=["Workspace access token"],
        description="The access token. Empty if the API key lacks the scope `connections:secrets`, if the token cannot be "
        "decrypted, or if the connection is disconnected.",
    )
    has_access_token: bool | None = Field(
        None, description="Whether there is a token that this response does not contain."
    )
    has_refresh_token: bool | None = Field(
        None, description="True if the token rotates. The refresh token itself is never returned."
    )
    expires_at: Time | None = Field(None, description="When the access token expires.")
    refresh_token_expires_at: Time | None = Field(None, description="When the refresh token expires.")


class ChannelConnection(Wire):
    """A Slack workspace that is connected to your product."""

    identifier: str = Field(
        examples=["slack-prod-user123-abc4"], description="The connection's identifier, unique in the environment."
    )
    channel: Literal["chat"] = Field(description="Always `chat`.")
    provider_id: Literal["slack"] = Field(description="Always `slack`.")
    integration_identifier: str = Field(examples=["slack-prod"], description="The identifier of the integration.")
    subscriber_id: str | None = Field(
        description="The id of the subscriber that the connection belongs to. Null in shared mode.", examples=[None]
    )
    context_keys: list[str] = Field(
        description="The connection's contexts, each as `type:id`, in the order in which you sent them.",
        examples=[["key:org-acme"]],
    )
    workspace: WorkspaceOut = Field(description="The connected workspace.")
    auth: AuthOut = Field(description="The credentials of your app in the workspace.")
    created_at: Time = Field(description="When the connection was created.")
    updated_at: Time = Field(
        description="When the connection was last created, updated or reconnected. Verifying does not change it."
    )
    connection_mode: Mode = Field(
        examples=["shared"],
        description="`subscriber` for a connection of one subscriber, `shared` for one that belongs to its contexts alone.",
    )
    status: Status = Field(
        examples=["unknown"],
        description="The result of the last check. `healthy`: Slack accepts the token. `needs_reconnect`: the token does not work, and "
        "`statusReason` says why. `unknown`: there was no check yet. `unreachable`: Slack has not answered for an hour; the token "
        "may be valid. `disconnected`: Slack has ended the access, and the tokens are erased.",
    )
    status_reason: str | None = Field(None, description="Why the connection does not work, as a sentence.")
    checked_at: Time | None = Field(None, description="When Slack last answered a check.")
    scopes: list[str] | None = Field(None, description="The scopes that Slack granted.")
    installed_by: str | None = Field(None, description="The id of the Slack user who installed the app.")
    next: list[str] | None = Field(
        None,
        description="The actions that make sense next. `verify`: verify the connection. `reconnect` or `update_permissions`: create an "
        "install URL with the same subscriber and contexts, and send it to the person.",
    )


class ChannelConnectionQuery(PageQuery):
    subscriber_id: Plain | None = Field(
        None,
        description="Only return the connections of this subscriber, and the shared ones. With `connectionMode=subscriber`, leave out "
        "the shared ones.",
    )
    connection_mode: Mode | None = Field(None, description="Only return the connections in this mode.")
    channel: providers.Channel | None = Field(
        None, description="Only return the connections of this channel. All connections have the channel `chat`."
    )
    provider_id: providers.Provider | None = Field(
        None, description="Only return the connections of this provider. All connections have the provider `slack`."
    )
    integration_identifier: Plain | None = Field(None, description="Only return the connections of this integration.")
    context_keys: Keys | None = Field(None, description=EXACT_SET)
    workspace_id: Plain | None = Field(None, description="Only return the connections of the workspace with this id.")
    status: Status | None = Field(
        None,
        description="Only return the connections with this status. A connection whose token the server cannot decrypt is shown as "
        "`needs_reconnect`, but the filter finds it by the status that it had before.",
    )
    search: Plain | None = Field(
        None,
        max_length=255,
        description="Only return the connections that match every word of this text. A word matches if the workspace's name or id, the "
        "subscriber, the identifier or a context key has a word that begins with it.",
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
    revoke: Flag = Field(False, description="Whether to revoke the token at Slack as well.")


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

    Creates a connection from a token that you already have. Returns 409 if the same integration, subscriber and set of
    contexts already have a connection. The server creates a subscriber and contexts that do not exist. To get a token
    from a person instead, create an install URL.
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
    """List all channel connections

    Returns a page of connections, newest first.
    """
    query = read_query(ChannelConnectionQuery)
    found = current().connections.list(caller(), query.page_request(), query.filters())
    return operations.json_response(page(found, _show))


@operations.get(_ONE, Operation(READ, TAG, ChannelConnection))
def retrieve_channel_connection(identifier: str) -> Response:
    """Retrieve a channel connection

    Returns the connection with this identifier. To ask Slack whether it works, verify it.
    """
    return operations.json_response(_show(current().connections.retrieve(caller(), identifier)))


@operations.patch(_ONE, Operation(WRITE, TAG, ChannelConnection, body=UpdateChannelConnection))
@once(REPRESENTATION, 200)
def update_channel_connection(before_commit: BeforeCommit, identifier: str) -> Connection:
    """Update a channel connection

    Replaces the workspace and the credentials. Each is replaced as a whole: members that you leave out are removed. The
    status becomes `unknown`, and `scopes` is removed. If a person's install connected the previous workspace, the
    server revokes that access at Slack, unless a connection uses the workspace.
    """
    body = read_body(UpdateChannelConnection)
    new = NewCredentials(_workspace(body.workspace), _auth(body.auth))
    return current().connections.replace_credentials(caller(), identifier, new, before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, query=DeleteQuery, errors=(422,)))
def delete_channel_connection(identifier: str) -> Response:
    """Delete a channel connection

    Deletes the connection and its channel endpoints. With `revoke=true`, the server also revokes the token at Slack,
    unless another connection or a running install uses the workspace, or Slack says that the token belongs to another
    workspace. Returns 204 even if Slack did not revoke the token. If Slack does not answer, a worker asks it again
    for a day.
    """
    query = read_query(DeleteQuery)
    current().connections.disconnect(caller().environment.id, identifier, caller().actor, query.revoke)
    return operations.no_content()


@operations.post(f"{_ONE}/verify", Operation(WRITE, TAG, ChannelConnection, status=200, errors=(502,)))
@once(REPRESENTATION, 200)
def verify_channel_connection(_before_commit: BeforeCommit, identifier: str) -> Connection:
    """Verify a channel connection

    Asks Slack whether the token works, and refreshes a token that rotates. Returns the connection with its new status:
    if Slack refuses the token, the response is still 200, with the `status` `needs_reconnect`.
    """
    current().connections.verify(caller().environment.id, identifier)
    return current().connections.retrieve(caller(), identifier)


def _workspace(given: WorkspaceIn) -> Workspace:
    return Workspace(given.id, given.name, given.bot_user_id)


def _auth(given: AuthIn) -> Auth:
    return Auth(given.access_token, given.refresh_token, given.expires_at, given.refresh_token_expires_at)
