"""Channel connections: their tables, and reads and locks of single connections."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.errors import Conflict
from onboarding.outcomes import ConnectionStatus
from onboarding.sealed import Sealed
from onboarding.store.database import Base, table_of
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, UtcTime, enum_by_value, is_named

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
    __table_args__ = (Index("ix_connection_contexts_key", "environment_id", "key", "connection_id"),)

    connection_id: Mapped[str] = mapped_column(
        ForeignKey("channel_connections.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(ID, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    #: The connection's environment, repeated here for the index.
    environment_id: Mapped[str] = mapped_column(ID, server_default=text("''"))


class ConnectionToken(NamedTuple):
    #: Null for a disconnected connection, as is the token.
    installation_id: str | None
    updated_at: datetime
    access_token: Sealed | None


TABLE, CONNECTION_CONTEXTS = table_of(ChannelConnection), table_of(ConnectionContext)
#: The last check, or the creation of a connection that was never checked: the list sorts by it.
LAST_CHECK = func.coalesce(TABLE.c.checked_at, TABLE.c.created_at)
Index("ix_channel_connections_last_check", TABLE.c.environment_id, LAST_CHECK, TABLE.c.id)
INSTALLATION = table_of(Installation)


def sort_name(workspace_name: str | None, workspace_id: str) -> str:
    """Return the text by which the list sorts a workspace. Folding the case may make a name too long for the column."""
    return (workspace_name or workspace_id).casefold()[:255]


def token_of(rows: Rows, environment_id: str, connection_id: str) -> ConnectionToken | None:
    query = select(TABLE.c.installation_id, TABLE.c.updated_at, INSTALLATION.c.access_token).outerjoin(
        INSTALLATION, TABLE.c.installation_id == INSTALLATION.c.id
    )
    own = query.where(TABLE.c.environment_id == environment_id, TABLE.c.id == connection_id)
    return fetch_first(rows, own, ConnectionToken)


def with_installation(
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
    locked = seen.installation_id, seen.workspace_id
    query = select(ChannelConnection).where(ChannelConnection.id == seen.id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is not None and (found.installation_id, found.workspace_id) != locked:
        raise Conflict("The connection has moved to another installation.")
    return found


def hold(session: Session, environment_id: str, identifier: str, integration_id: str) -> str | None:
    """Lock a connection of the integration against removal until the transaction ends. Return its id."""
    query = select(TABLE.c.id).where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.identifier, identifier))
    own = query.where(TABLE.c.integration_id == integration_id)
    return session.scalar(own.with_for_update(read=True, key_share=True))


def count_of_context(session: Session, environment_id: str, key: str) -> int:
    query = select(func.count()).select_from(CONNECTION_CONTEXTS)
    return (
        session.scalar(
            query.where(CONNECTION_CONTEXTS.c.key == key, CONNECTION_CONTEXTS.c.environment_id == environment_id)
        )
        or 0
    )


def count_of_subscriber(session: Session, environment_id: str, subscriber_id: str) -> int:
    query = select(func.count()).select_from(TABLE)
    return (
        session.scalar(query.where(TABLE.c.environment_id == environment_id, TABLE.c.subscriber_id == subscriber_id))
        or 0
    )


def of_integration(session: Session, integration_id: str) -> Sequence[ChannelConnection]:
    return session.scalars(select(ChannelConnection).where(ChannelConnection.integration_id == integration_id)).all()
