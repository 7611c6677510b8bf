"""/v1/connect-sessions: a host's server creates a session for a signed-in customer, whose browser follows it."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from onboarding import addresses, ids
from onboarding.api import authentication, cross_origin, operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import TRIMMED_PATTERN, ContextPart, Contexts, Identifier, Mode, Reference, Time, Wire
from onboarding.api.idempotency import Members, Representation, once
from onboarding.api.operations import LINKS, Operation
from onboarding.api.problems import ValidationFailed
from onboarding.api.request_parsing import read_body
from onboarding.before_commit import BeforeCommit
from onboarding.characters import has_controls, trim
from onboarding.documents import timestamp
from onboarding.errors import NotFound, Refused
from onboarding.identity import WORKSPACE_ID, OfferedContext
from onboarding.outcomes import ConnectionStatus, Outcome
from onboarding.runtime import current
from onboarding.services.connect_sessions import ConnectSession, SessionState
from onboarding.services.links.records import CreatedLink, NewLink

TAG = "Connect sessions"
_ALL, _ONE = "/v1/connect-sessions", "/v1/connect-sessions/<id>"
#: Of `expiresIn`.
_MIN_SECONDS, _DEFAULT_SECONDS, _MAX_SECONDS = 60, 1800, 86_400
_MAX_OFFERED = 20
#: The request's members, by the fields that the service may refuse.
_MEMBERS = {"return_url": "returnUrl", "refresh_url": "refreshUrl", "offered_contexts": "offerContexts"}


def _page_address(address: str) -> str:
    try:
        addresses.page_origin(address)
    except ValueError as fault:
        raise ValueError(f"{{field}} {fault}") from None
    return address


def _visible(text: str) -> str:
    if has_controls(text) or text != trim(text):
        raise ValueError("{field} must not contain control characters or begin or end with white space")
    return text


def _seconds(value: object) -> int:
    """Accept `60.0` as well, which JSON Schema counts as an integer."""
    is_flag = isinstance(value, bool)
    if (
        is_flag
        or not isinstance(value, int | float)
        or value != int(value)
        or not _MIN_SECONDS <= value <= _MAX_SECONDS
    ):
        raise ValueError(f"{{field}} must be a whole number from {_MIN_SECONDS} to {_MAX_SECONDS}, in seconds")
    return int(value)


def _workspace(text: str) -> str:
    if not WORKSPACE_ID.match(text):
        raise ValueError(
            "{field} must be a workspace id, which begins with T, or an organization id, which begins with E"
        )
    return text


PageAddress = Annotated[
    str, AfterValidator(_page_address), WithJsonSchema({"type": "string", "format": "uri", "maxLength": 2000})
]
Visible = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(_visible),
    Field(json_schema_extra={"pattern": TRIMMED_PATTERN}),
]
Seconds = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "integer", "minimum": _MIN_SECONDS, "maximum": _MAX_SECONDS, "default": _DEFAULT_SECONDS}),
]
WorkspaceId = Annotated[
    str, AfterValidator(_workspace), WithJsonSchema({"type": "string", "pattern": "^[TE][A-Z0-9]{1,99}$"})
]


class ContextOffer(Wire):
    """A context that the person may choose."""

    type: ContextPart = Field(
        examples=["team"], description="The kind of context: 1 to 100 letters (a-z, A-Z), digits, `-` and `_`."
    )
    id: ContextPart = Field(
        examples=["emea"], description="The context's id: 1 to 100 letters (a-z, A-Z), digits, `-` and `_`."
    )
    label: Visible | None = Field(
        None, examples=["Acme Europe"], description="The name that the person reads. The default is the id."
    )


class CreateConnectSession(Wire):
    integration_identifier: Reference = Field(
        examples=["slack-prod"], description="The identifier of the integration, your Slack app."
    )
    subscriber_id: Identifier | None = Field(
        None,
        examples=["subscriber-123"],
        description="The id of the subscriber that the connection will belong to. Required in subscriber mode.",
    )
    context: Contexts = Field(None, examples=[{"tenant": "org-123"}])
    offer_contexts: list[ContextOffer] | None = Field(
        None,
        max_length=_MAX_OFFERED,
        description="The contexts of which the person chooses one, in addition to `context`.",
    )
    connection_mode: Mode | None = Field(
        None,
        description="`subscriber` creates a connection of one subscriber, `shared` one that belongs to its contexts alone. Without it, "
        "the person chooses if both are possible.",
    )
    workspace_id: WorkspaceId | None = Field(
        None,
        description="The id of the expected workspace or organization. If the person approves another one, a page asks which of them to "
        "connect.",
    )
    return_url: PageAddress | None = Field(
        None,
        description="The address that the last page leads back to, on an allowed origin of the integration. It gets the query parameters "
        "`outcome`, `session`, `reference` and, if connected, `connection`.",
    )
    refresh_url: PageAddress | None = Field(
        None,
        description="The address where the person gets a new session after this one expired, on an allowed origin of the integration.",
    )
    expires_in: Seconds = Field(
        _DEFAULT_SECONDS,
        description="The seconds until the session expires. An install that has been started can still be finished after that.",
    )
    reference: Visible | None = Field(
        None,
        examples=["order-42"],
        description="Your own text. The server returns it with the session and to `returnUrl`, and writes it to the audit log.",
    )


class CreatedSession(Wire):
    id: str = Field(examples=["cs_0123456789abcdef"], description="The id of the session.")
    token: str = Field(
        examples=["cs_0123456789abcdef.…"],
        description="The token for the person's browser. No other response contains it.",
    )
    url: str = Field(
        examples=["https://connect.example.com/connect/cs_0123456789abcdef.…"],
        description="The address of the page on which the person connects. It contains the token.",
    )
    expires_at: Annotated[Time, Field(description="When the session expires.")]
    reference: str | None = Field(None, description="Your own text, if you sent one.")


class ConnectionOfSession(Wire):
    identifier: str = Field(examples=["chconn_0123456789ab"], description="The identifier of the connection.")
    status: Annotated[ConnectionStatus, WithJsonSchema({"enum": list(ConnectionStatus), "type": "string"})] = Field(
        description="The status of the connection."
    )
    workspace_name: str | None = Field(
        None, examples=["Acme HQ"], description="The name of the workspace. The holder of a link does not get it."
    )


class SessionOut(Wire):
    """The members after `accentColor` are in responses to an API key only."""

    id: str = Field(examples=["cs_0123456789abcdef"], description="The id of the session.")
    state: Literal["created", "sent_to_slack", "awaiting_approval", "finished"] = Field(
        description="How far the session is. `awaiting_approval`: a Slack admin has to approve, which may take days."
    )
    outcome: Annotated[Outcome | None, WithJsonSchema({"enum": list(Outcome), "type": "string"})] = Field(
        None, description="How the last attempt ended. Present in the state `finished`."
    )
    connection: ConnectionOfSession | None = Field(
        None,
        description="The connection of the session's identity, whenever it exists. Absent once the token has expired or was revoked.",
    )
    expires_at: Annotated[Time, Field(description="When the session expires.")]
    reference: str | None = Field(None, description="Your own text, if you sent one.")
    attempt_reference: str | None = Field(
        None, description="The short code on the last attempt's page, which the person reads out to support."
    )
    approval_url: str | None = Field(
        None,
        description="The page for the Slack admin. Present in the state `awaiting_approval`, for the customer's browser only if the "
        "approval came from this session or from an earlier one for the same subscriber.",
    )
    refresh_url: str | None = Field(None, description="The address where the person gets a new session.")
    product_name: str = Field(
        examples=["Northwind"], description="The name of your product, as customers’ pages show it."
    )
    accent_color: str | None = Field(
        None, examples=["#3f4fd0"], description="The color of customers’ pages, if the integration has one."
    )
    created_at: Time | None = Field(None, description="When the session was created.")
    integration_identifier: str | None = Field(None, description="The identifier of the integration.")
    connection_mode: Mode | None = Field(None, description="The mode that the session fixes.")
    subscriber_id: str | None = Field(None, description="The subscriber that the session fixes.")
    context_keys: list[str] | None = Field(None, description="The contexts that the session fixes, as `type:id`.")
    offer_contexts: list[ContextOffer] | None = Field(None, description="The contexts of which the person chooses one.")
    workspace_id: str | None = Field(None, description="The id of the expected workspace or organization.")
    return_url: str | None = Field(None, description="The address that the last page leads back to.")


def _show(one: CreatedLink) -> Members:
    members = {"id": one.id, "token": one.token, "url": one.url, "expiresAt": timestamp(one.expires_at)}
    return members if one.reference is None else {**members, "reference": one.reference}


def _redact(members: Members) -> Members:
    """Remove the token and the address, so that no secret is stored. Both can be computed from the id."""
    return {name: value for name, value in members.items() if name not in ("token", "url")}


def _restore(members: Members, _connection_id: str | None) -> Members:
    links, session_id = current().links, members["id"]
    return {"id": session_id, "token": links.token(session_id), "url": links.url(session_id), **members}


REPRESENTATION: Representation[CreatedLink] = Representation(_show, _redact, _restore)


@operations.post(_ALL, Operation(LINKS, TAG, CreatedSession, body=CreateConnectSession))
@once(REPRESENTATION)
def create_connect_session(before_commit: BeforeCommit) -> CreatedLink:
    """Create a connect session

    Creates a session for one customer who is signed in to your product. Give `url` or `token` to that customer's
    browser, and keep the API key on your server.
    """
    body = read_body(CreateConnectSession)
    try:
        return current().links.create_session(caller(), _new(body), body.context or {}, before_commit)
    except Refused as refusal:
        if refusal.field not in _MEMBERS:
            raise
        member = _MEMBERS[refusal.field]
        raise ValidationFailed({member: {"messages": [refusal.sentence]}}) from None


@operations.get(_ONE, Operation(LINKS, TAG, SessionOut, is_for_holders=True))
def retrieve_connect_session(id: str) -> Response:
    """Retrieve a connect session

    Returns the state of a session, for polling. Send the API key or, from the customer's browser,
    `Authorization: Bearer <token>`. A browser can send the token from pages of the integration's allowed origins, up to
    five times per second. The links that the command `link create` prints are sessions as well.
    """
    holders_session_id = authentication.token_session_id()
    if holders_session_id is None:
        found = current().connect_sessions.retrieve(caller(), id)
        return operations.json_response(_members(found) | _terms(found))
    if holders_session_id != id:
        raise NotFound(f"Connect session '{id}' not found", "session_not_found")
    found = current().connect_sessions.of_holder(id, cross_origin.foreign_origin())
    return operations.json_response(_members(found))


@operations.delete(_ONE, Operation(LINKS, TAG))
def revoke_connect_session(id: str) -> Response:
    """Revoke a connect session

    Revokes a session: its page and its token stop working, also for an install in progress. A connection that it led to
    stays.
    """
    current().connect_sessions.revoke(caller(), id)
    return operations.no_content()


def _new(body: CreateConnectSession) -> NewLink:
    offered = body.offer_contexts or ()
    return NewLink(
        integration=body.integration_identifier,
        environment=caller().environment.name,
        subscriber_id=body.subscriber_id,
        context_keys=tuple(body.context or ()),
        offered_contexts=tuple(OfferedContext(one.type, one.id, one.label) for one in offered),
        mode=body.connection_mode,
        workspace_id=body.workspace_id,
        return_url=body.return_url,
        refresh_url=body.refresh_url,
        reference=body.reference,
        lifetime=timedelta(seconds=body.expires_in),
    )


def _members(one: ConnectSession) -> Members:
    """Return the members that an API key and the session's holder get."""
    members: Members = {"id": one.id, "state": one.state}
    if one.state is SessionState.FINISHED:
        members["outcome"] = one.outcome
    if one.connection is not None:
        connection: dict[str, Any] = {"identifier": one.connection.identifier, "status": one.connection.status}
        if one.connection.workspace_name is not None:
            connection["workspaceName"] = one.connection.workspace_name
        members["connection"] = connection
    members["expiresAt"] = timestamp(one.expires_at)
    shown = {
        "reference": one.reference,
        "attemptReference": ids.attempt_reference(one.attempt_id) if one.attempt_id else None,
        "approvalUrl": current().links.url(one.approval_id) if one.approval_id else None,
        "refreshUrl": one.refresh_url,
        "productName": one.product_name,
        "accentColor": one.accent_color,
    }
    return members | {name: value for name, value in shown.items() if value is not None}


def _terms(one: ConnectSession) -> Members:
    """Return the members that only an API key gets."""
    terms: Members = {
        "createdAt": timestamp(one.created_at),
        "integrationIdentifier": one.integration_identifier,
        "connectionMode": one.mode,
        "subscriberId": one.subscriber_id,
        "contextKeys": one.context_keys,
        "offerContexts": [_offer(offered) for offered in one.offered_contexts],
        "workspaceId": one.workspace_id,
        "returnUrl": one.return_url,
    }
    return {name: value for name, value in terms.items() if value is not None}


def _offer(one: OfferedContext) -> dict[str, str]:
    members = {"type": one.type, "id": one.id}
    return members if one.label is None else {**members, "label": one.label}
