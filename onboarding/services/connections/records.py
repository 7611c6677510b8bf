"""What the connection services take and give: records, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import orjson

from onboarding.outcomes import ConnectionStatus, GrantResult


@dataclass(frozen=True, slots=True)
class Token:
    access_token: str = field(repr=False)
    #: When the connection was last made, replaced or reconnected.
    since: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """The documented object (contract.md A2). The token is there only for whoever asked for it and may."""

    id: str
    identifier: str
    integration_identifier: str
    mode: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    workspace_id: str
    workspace_name: str | None
    bot_user_id: str | None
    status: ConnectionStatus
    status_reason: str | None
    checked_at: datetime | None
    installed_by: str | None
    created_at: datetime
    updated_at: datetime
    scopes: tuple[str, ...]
    has_refresh_token: bool
    token_expires_at: datetime | None
    refresh_token_expires_at: datetime | None
    #: What to do next, as words for programs: `verify`, `reconnect`, `update_permissions`.
    next_steps: tuple[str, ...]
    access_token: str | None = field(default=None, repr=False)

    channel: ClassVar[str] = "chat"
    provider_id: ClassVar[str] = "slack"


@dataclass(frozen=True, slots=True)
class Detail:
    """One connection for its page: of the token only the last four characters and its age."""

    connection: Connection
    token_last_four: str
    token_since: datetime
    #: How many others have the same Slack app in the same workspace, or share the access: with any, nothing is revoked.
    others: int


@dataclass(frozen=True)
class Disconnected:
    """How a disconnect ended."""

    result: GrantResult
    workspace_name: str
    at: datetime


@dataclass(frozen=True)
class ConsoleSearch:
    """The console's filters as they stand in the address."""

    q: str = ""
    status: str = ""
    integration: str = ""
    mode: str = ""
    context: str = ""

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.status, self.integration, self.mode, self.context))


@dataclass(frozen=True, slots=True)
class ConnectionQuery:
    """What a program asks of the list (contract.md A3); None does not narrow."""

    subscriber_id: str | None = None
    mode: str | None = None
    channel: str | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    #: The exact set; empty asks for those without context.
    context_keys: tuple[str, ...] | None = None
    workspace_id: str | None = None
    status: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str | None = None
    bot_user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials that a program gives. Times are UTC."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewConnection:
    """A connection that a program wants. `contexts`: keys in the order given, with their data as JSON or None."""

    integration_identifier: str
    workspace: Workspace
    auth: Auth
    identifier: str | None = None
    subscriber_id: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None


def connection_of(row: Any, access_token: str | None = None) -> Connection:
    """From a row of `store.connections.DOCUMENTED`."""
    return Connection(
        row.id,
        row.identifier,
        row.integration_identifier,
        row.mode,
        row.subscriber_id,
        tuple(orjson.loads(row.context_keys)),
        row.workspace_id,
        row.workspace_name,
        row.bot_user_id,
        row.status,
        row.status_reason,
        row.checked_at,
        row.installed_by,
        row.created_at,
        row.updated_at,
        tuple(row.scopes.split(",")) if row.scopes else (),
        row.refresh_token is not None,
        row.expires_at,
        row.refresh_expires_at,
        _next_steps(row.status, row.scopes, row.asked_scopes),
        access_token,
    )


def _next_steps(status: ConnectionStatus, granted: str, asked: str) -> tuple[str, ...]:
    """What a program gave says nothing of its scopes: nothing is missed there."""
    if status.is_broken:
        return ("reconnect",)
    if granted and granted != asked and set(asked.split(",")) - set(granted.split(",")):
        return ("update_permissions",)
    return ("verify",) if status is ConnectionStatus.UNKNOWN else ()
