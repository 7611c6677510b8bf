"""Connections as the API shows them: with columns of their integration and installation."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from onboarding.outcomes import ConnectionStatus
from onboarding.sealed import Sealed
from onboarding.store.compiled import CompiledStatement
from onboarding.store.connections import INSTALLATION, TABLE
from onboarding.store.database import table_of
from onboarding.store.integrations import Integration
from onboarding.store.rows import Rows


class ConnectionRow(NamedTuple):
    """A connection, its integration's identifier and scopes, and the installation that it uses."""

    id: str
    identifier: str
    integration_id: str
    #: Null for a disconnected connection, as are all columns after `asked_scopes`.
    installation_id: str | None
    mode: str
    subscriber_id: str | None
    workspace_id: str
    workspace_name: str | None
    bot_user_id: str | None
    status: ConnectionStatus
    status_reason: str | None
    checked_at: datetime | None
    installed_by: str | None
    created_at: datetime
    updated_at: datetime
    #: A JSON list.
    context_keys: str
    integration_identifier: str
    asked_scopes: str
    scopes: str | None
    access_token: Sealed | None
    token_last_four: str | None
    refresh_token: Sealed | None
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    token_since: datetime | None


_INTEGRATION = table_of(Integration)
#: Selects each `ConnectionRow`.
DOCUMENTED = (
    select(
        *(TABLE.c[name] for name in ConnectionRow._fields if name in TABLE.c),
        _INTEGRATION.c.identifier.label("integration_identifier"),
        _INTEGRATION.c.scopes.label("asked_scopes"),
        INSTALLATION.c.scopes,
        INSTALLATION.c.access_token,
        INSTALLATION.c.token_last_four,
        INSTALLATION.c.refresh_token,
        INSTALLATION.c.expires_at,
        INSTALLATION.c.refresh_expires_at,
        INSTALLATION.c.token_since,
    )
    .join_from(TABLE, _INTEGRATION, TABLE.c.integration_id == _INTEGRATION.c.id)
    .outerjoin(INSTALLATION, TABLE.c.installation_id == INSTALLATION.c.id)
)
_ONE = CompiledStatement(
    DOCUMENTED.where(
        TABLE.c.environment_id == bindparam("environment"), TABLE.c.identifier == bindparam("identifier_")
    ),
    ConnectionRow,
)


def documented(rows: Rows, environment_id: str, identifier: str) -> ConnectionRow | None:
    """Return the connection with this identifier."""
    # As in `is_named`: PostgreSQL refuses NUL.
    return None if "\0" in identifier else _ONE.first(rows, {"environment": environment_id, "identifier_": identifier})
