"""Channel connections: the tables, one identity rule, and every query but the lists (`connection_lists`)."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.errors import Conflict
from onboarding.identity import context_digest
from onboarding.outcomes import ConnectionStatus
from onboarding.sealed import Sealed
from onboarding.store import attempts
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, UtcTime, columns_of, enum_by_value, is_named

#: The columns by which the API filters and the two by which it orders: one index each.
_FILTERS = ("integration_id", "subscriber_id", "mode", "context_digest", "workspace_id", "status")
_INDEXES = tuple(
    Index(f"ix_channel_connections_{column or 'all'}_{order}", *filter(None, ("environment_id", column, order, "id")))
    for column in ("", *_FILTERS)
    for order in ("created_at", "updated_at")
)


class ChannelConnection(Base):
    __tablename__ = "channel_connections"
    __table_args__ = (
        UniqueConstraint("environment_id", "identifier"),
        UniqueConstraint("environment_id", "identity_key"),
        *_INDEXES,
        Index("ix_channel_connections_sort_name", "environment_id", "sort_name", "id"),
        Index("ix_channel_connections_installation", "installation_id"),
        Index("ix_channel_connections_workspace", "integration_id", "workspace_id"),
        CheckConstraint("mode IN ('subscriber', 'shared')", name="mode"),
        CheckConstraint("mode = 'subscriber' OR subscriber_id IS NULL", name="shared_has_no_subscriber"),
        CheckConstraint(
            "(status = 'disconnected' AND installation_id IS NULL) "
            "OR (status <> 'disconnected' AND installation_id IS NOT NULL)",
            name="disconnected_has_no_installation",
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    identifier: Mapped[str] = mapped_column(ID)
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: Null once Slack has ended the access: the tokens are erased with the installation.
    installation_id: Mapped[str | None] = mapped_column(ForeignKey("installations.id"))
    #: Integration, subscriber and exact set of context keys as one text: SQL treats two null subscribers as different.
    identity_key: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(10))
    #: Null in shared mode, always.
    subscriber_id: Mapped[str | None] = mapped_column(ID)
    workspace_id: Mapped[str] = mapped_column(String(100))
    workspace_name: Mapped[str | None] = mapped_column(String(255))
    #: The workspace's name, or its id without one, without regard to case: the list sorts by it.
    sort_name: Mapped[str] = mapped_column(ID)
    bot_user_id: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[ConnectionStatus] = mapped_column(enum_by_value(ConnectionStatus, 20))
    status_reason: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    installed_by: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The context keys as a JSON list, in the order in which they were given.
    context_keys_json: Mapped[str] = mapped_column("context_keys", Text)
    #: The exact set of them, in any order, as one text.
    context_digest: Mapped[str] = mapped_column(String(64))

    @property
    def is_broken(self) -> bool:
        return self.status.is_broken

    @property
    def context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.context_keys_json))


class ConnectionContext(Base):
    """One context key of one connection, to find the connections that have a key."""

    __tablename__ = "connection_contexts"

    connection_id: Mapped[str] = mapped_column(
        ForeignKey("channel_connections.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(ID, primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer)


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
    installed_at: datetime | None


class ConnectionToken(NamedTuple):
    #: Null for a disconnected connection, as is the token.
    installation_id: str | None
    updated_at: datetime
    access_token: Sealed | None


class IdentityRow(NamedTuple):
    """The columns that an install needs of the connection that its identity already has."""

    id: str
    identifier: str
    #: Null for a disconnected connection.
    installation_id: str | None
    workspace_id: str
    workspace_name: str | None
    created_at: datetime
    installed_by: str | None
    status: ConnectionStatus


TABLE, HOLDING = table_of(ChannelConnection), table_of(ConnectionContext)
#: The last check, or the creation of a connection that was never checked: the list sorts by it.
LAST_CHECK = func.coalesce(TABLE.c.checked_at, TABLE.c.created_at)
Index("ix_channel_connections_last_check", TABLE.c.environment_id, LAST_CHECK, TABLE.c.id)
_INSTALLATION, _INTEGRATION = table_of(Installation), table_of(Integration)

#: Selects each `ConnectionRow`.
DOCUMENTED = (
    select(
        *(TABLE.c[name] for name in ConnectionRow._fields if name in TABLE.c),
        _INTEGRATION.c.identifier.label("integration_identifier"),
        _INTEGRATION.c.scopes.label("asked_scopes"),
        _INSTALLATION.c.scopes,
        _INSTALLATION.c.access_token,
        _INSTALLATION.c.token_last_four,
        _INSTALLATION.c.refresh_token,
        _INSTALLATION.c.expires_at,
        _INSTALLATION.c.refresh_expires_at,
        _INSTALLATION.c.installed_at,
    )
    .join_from(TABLE, _INTEGRATION, TABLE.c.integration_id == _INTEGRATION.c.id)
    .outerjoin(_INSTALLATION, TABLE.c.installation_id == _INSTALLATION.c.id)
)
_ONE = CompiledStatement(
    DOCUMENTED.where(
        TABLE.c.environment_id == bindparam("environment"), TABLE.c.identifier == bindparam("identifier_")
    ),
    ConnectionRow,
)
_OF_IDENTITY = select(*columns_of(TABLE, IdentityRow._fields)).where(
    TABLE.c.environment_id == bindparam("environment"), TABLE.c.identity_key == bindparam("key")
)
_LOCK_OF_IDENTITY = _OF_IDENTITY.with_for_update(key_share=True)
_IN_WORKSPACE = (
    select(TABLE.c.id)
    .where(
        TABLE.c.integration_id == bindparam("integration"),
        TABLE.c.workspace_id == bindparam("workspace"),
        TABLE.c.installation_id.is_not(None),
    )
    .limit(1)
)
_OF_ANOTHER_SUBSCRIBER = _IN_WORKSPACE.where(TABLE.c.subscriber_id.is_distinct_from(bindparam("subscriber")))
_OF_ANOTHER_CONTEXT = _IN_WORKSPACE.where(
    or_(TABLE.c.subscriber_id.is_not(None), TABLE.c.context_digest != bindparam("contexts"))
)


def sort_name(workspace_name: str | None, workspace_id: str) -> str:
    """Return the text by which the list sorts a workspace. Folding the case may lengthen a name beyond the column's width."""
    return (workspace_name or workspace_id).casefold()[:255]


def documented(rows: Rows, environment_id: str, identifier: str) -> ConnectionRow | None:
    """Return the connection with this identifier."""
    # As in `is_named`: PostgreSQL refuses NUL.
    return None if "\0" in identifier else _ONE.first(rows, {"environment": environment_id, "identifier_": identifier})


def token_of(rows: Rows, environment_id: str, connection_id: str) -> ConnectionToken | None:
    query = select(TABLE.c.installation_id, TABLE.c.updated_at, _INSTALLATION.c.access_token).outerjoin(
        _INSTALLATION, TABLE.c.installation_id == _INSTALLATION.c.id
    )
    own = query.where(TABLE.c.environment_id == environment_id, TABLE.c.id == connection_id)
    return fetch_first(rows, own, ConnectionToken)


def with_its_grant(
    session: Session, environment_id: str, identifier: str
) -> tuple[ChannelConnection, Installation | None, Integration] | None:
    """Return a connection with its installation, if it has one, and its integration.

    One query reads all three, because an API caller may give the connection another grant between two queries.
    """
    query = (
        select(ChannelConnection, Installation, Integration)
        .outerjoin(Installation, ChannelConnection.installation_id == Installation.id)
        .join(Integration, ChannelConnection.integration_id == Integration.id)
        .where(ChannelConnection.environment_id == environment_id, is_named(ChannelConnection.identifier, identifier))
    )
    found = session.execute(query).first()
    return None if found is None else (found[0], found[1], found[2])


def by_identity(session: Session, environment_id: str, key: str) -> ChannelConnection | None:
    return session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.environment_id == environment_id, ChannelConnection.identity_key == key
        )
    )


def of_identity(rows: Rows, environment_id: str, key: str) -> IdentityRow | None:
    return fetch_first(rows, _OF_IDENTITY, IdentityRow, {"environment": environment_id, "key": key})


def lock_of_identity(rows: Rows, environment_id: str, key: str) -> IdentityRow | None:
    """Do the same and lock the row, so that no other install moves the connection."""
    return fetch_first(rows, _LOCK_OF_IDENTITY, IdentityRow, {"environment": environment_id, "key": key})


def by_identifier(session: Session, environment_id: str, identifier: str) -> ChannelConnection | None:
    return session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.environment_id == environment_id, is_named(ChannelConnection.identifier, identifier)
        )
    )


def has_identifier(rows: Rows, environment_id: str, identifier: str) -> bool:
    query = select(TABLE.c.id).where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.identifier, identifier))
    return rows.scalar(query) is not None


def lock(session: Session, seen: ChannelConnection) -> ChannelConnection | None:
    """Lock a connection, to change or remove it, after its installation and the workspace were locked.

    Return None if it is gone. Raises Conflict if another transaction has moved it to another installation or workspace,
    which are not locked: the caller's transaction must be repeated.
    """
    place = seen.installation_id, seen.workspace_id
    query = select(ChannelConnection).where(ChannelConnection.id == seen.id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is not None and (found.installation_id, found.workspace_id) != place:
        raise Conflict("The connection has moved to another installation.")
    return found


def hold(session: Session, environment_id: str, identifier: str, integration_id: str) -> str | None:
    """Lock a connection of the integration against removal until the transaction ends. Return its id."""
    query = select(TABLE.c.id).where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.identifier, identifier))
    own = query.where(TABLE.c.integration_id == integration_id)
    return session.scalar(own.with_for_update(read=True, key_share=True))


def count_beside(rows: Rows, integration_id: str, workspace_id: str, installation_id: str) -> int:
    """Count the connections that have the same Slack app in the same workspace, or use the same installation."""
    in_workspace = and_(
        TABLE.c.integration_id == integration_id,
        TABLE.c.workspace_id == workspace_id,
        TABLE.c.installation_id.is_not(None),
    )
    query = select(func.count()).where(or_(in_workspace, TABLE.c.installation_id == installation_id))
    return rows.scalar(query) or 0


def uses_workspace(rows: Rows, integration_id: str, workspace_id: str) -> bool:
    """Return whether a connection or a waiting grant of this integration has the workspace.

    Then nothing of it may be revoked at Slack: a Slack app has one bot token per workspace.
    """
    mine = TABLE.c.integration_id == integration_id, TABLE.c.workspace_id == workspace_id
    query = select(TABLE.c.id).where(*mine, TABLE.c.installation_id.is_not(None))
    is_connected = rows.scalar(query.limit(1)) is not None
    return is_connected or attempts.waits_in(rows, integration_id, workspace_id)


def held_by_another(
    rows: Rows, integration_id: str, workspace_id: str, subscriber_id: str | None, context_keys: Iterable[str]
) -> bool:
    """Return whether a connection of another customer has the workspace. The caller has locked the workspace.

    A customer is a subscriber, in any context; without a subscriber, an exact set of contexts. A disconnected connection
    does not hold its workspace.
    """
    values = {"integration": integration_id, "workspace": workspace_id}
    if subscriber_id is not None:
        found = rows.execute(_OF_ANOTHER_SUBSCRIBER, {**values, "subscriber": subscriber_id})
    else:
        found = rows.execute(_OF_ANOTHER_CONTEXT, {**values, "contexts": context_digest(context_keys)})
    return found.first() is not None


def count_of_context(session: Session, environment_id: str, key: str) -> int:
    query = select(func.count()).select_from(HOLDING).join(TABLE, TABLE.c.id == HOLDING.c.connection_id)
    return session.scalar(query.where(HOLDING.c.key == key, TABLE.c.environment_id == environment_id)) or 0


def count_of_subscriber(session: Session, environment_id: str, subscriber_id: str) -> int:
    query = select(func.count()).select_from(TABLE)
    return (
        session.scalar(query.where(TABLE.c.environment_id == environment_id, TABLE.c.subscriber_id == subscriber_id))
        or 0
    )


def of_integration(session: Session, integration_id: str) -> Sequence[ChannelConnection]:
    return session.scalars(select(ChannelConnection).where(ChannelConnection.integration_id == integration_id)).all()
