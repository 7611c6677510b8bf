"""The records that the connection services take and return; database rows stay inside."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime

from onboarding.connection_rows import requestable_scopes
from onboarding.documents import Connection
from onboarding.outcomes import ConnectionStatus, GrantResult
from onboarding.pagination import Page
from onboarding.slack import scopes
from onboarding.store.connection_documents import ConnectionRow


@dataclass(frozen=True, slots=True)
class TokenMark:
    """Identifies the token of an earlier response without containing it."""

    connection_id: str
    identifier: str
    #: The connection's `updatedAt` in that response.
    updated_at: str
    #: `token_digest` of the token; None where that response did not contain it.
    digest: str | None


@dataclass(frozen=True, slots=True)
class PermissionState:
    """A scope that the Slack app asks for, or that was granted."""

    scope: str
    sentence: str
    is_asked: bool
    is_granted: bool
    #: Whether the person may decline it.
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A connection as the console shows it, with the token's age and last four characters."""

    connection: Connection
    #: Empty for a short token, and without a token.
    token_last_four: str
    #: None without a token: Slack has ended the access.
    token_since: datetime | None
    #: How many other connections use the same Slack app in the same workspace, or the same installation. With any of
    #: them, a disconnect revokes nothing at Slack.
    others: int
    #: Empty if it is not known which scopes the token has, because an API caller sent it.
    permissions: tuple[PermissionState, ...]


@dataclass(frozen=True)
class Disconnected:
    """How a disconnect ended."""

    result: GrantResult
    workspace_name: str
    at: datetime


#: Values of `sort` that earlier versions used. Saved links may contain them.
_EARLIER_SORTS = {"state": "status", "-state": "-status"}


@dataclass(frozen=True)
class ConsoleSearch:
    """The console's filters, as in the query string."""

    q: str = ""
    status: str = ""
    integration: str = ""
    mode: str = ""
    #: `type:id`, `type=id`, or an id of any type.
    context: str = ""
    #: `created`, `workspace`, `status` or `checked`; with `-` in front, in descending order.
    sort: str = ""

    @classmethod
    def from_query(cls, values: Mapping[str, str]) -> "ConsoleSearch":
        """Read the filters and the order from a query or a form."""
        # No name or id is longer, so longer text finds nothing anyway.
        given = {one.name: values.get(one.name, "").strip()[:255] for one in fields(cls)}
        return cls(**{**given, "sort": _EARLIER_SORTS.get(given["sort"], given["sort"])})

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.status, self.integration, self.mode, self.context))


@dataclass(frozen=True, slots=True)
class ConsoleList(Page[Connection]):
    """A page of the console's list."""

    #: The position of its first row, from 1. `CONSOLE_COUNT_CAP` + 1 means this position or any later one.
    first: int
    #: The filters whose values are unknown. They were left out.
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConnectionQuery:
    """The filters of the API's list. None does not filter."""

    subscriber_id: str | None = None
    mode: str | None = None
    channel: str | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    #: The exact set; empty for connections without context.
    context_keys: tuple[str, ...] | None = None
    workspace_id: str | None = None
    status: ConnectionStatus | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str | None = None
    bot_user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials that an API caller sends. Times are UTC."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewCredentials:
    workspace: Workspace
    auth: Auth


@dataclass(frozen=True, slots=True)
class NewConnection:
    """`contexts`: keys `type:id` in the caller's order, each with its data as JSON or None."""

    integration_identifier: str
    workspace: Workspace
    auth: Auth
    identifier: str | None = None
    subscriber_id: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None


def token_digest(access_token: str) -> str:
    return hashlib.sha256(access_token.encode()).hexdigest()


def permissions_of(row: ConnectionRow) -> tuple[PermissionState, ...]:
    """Return the scopes that are asked for, in order, and then those that were granted and are no longer asked for."""
    granted, asked = scopes.split(row.scopes or ""), scopes.split(requestable_scopes(row))
    if not granted:
        return ()
    return tuple(
        PermissionState(one, scopes.sentence(one), one in asked, one in granted, one in scopes.OPTIONAL)
        for one in dict.fromkeys((*asked, *granted))
    )
