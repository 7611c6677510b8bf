"""Channel connections, and what they refer to: subscribers and contexts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base
from onboarding.store.types import ID, UtcTime


class ChannelConnection(Base):
    __tablename__ = "channel_connections"
    __table_args__ = (
        UniqueConstraint("environment_id", "identifier"),
        UniqueConstraint("environment_id", "identity_key"),
        Index("ix_channel_connections_newest", "environment_id", "created_at", "id"),
        Index("ix_channel_connections_installation", "installation_id"),
        CheckConstraint("mode IN ('subscriber', 'shared')", name="mode"),
        CheckConstraint("mode = 'subscriber' OR subscriber_id IS NULL", name="shared_has_no_subscriber"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    identifier: Mapped[str] = mapped_column(ID)
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    installation_id: Mapped[str] = mapped_column(ForeignKey("installations.id"))
    #: Integration, subscriber and exact set of context keys as one text: SQL treats two null subscribers as different.
    identity_key: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(10))
    #: Null in shared mode, always.
    subscriber_id: Mapped[str | None] = mapped_column(ID)
    workspace_id: Mapped[str] = mapped_column(String(100), index=True)
    workspace_name: Mapped[str | None] = mapped_column(String(255))
    bot_user_id: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    status_reason: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    installed_by: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The context keys as a JSON list, in the order in which they were given.
    context_keys_json: Mapped[str] = mapped_column("context_keys", Text)

    @property
    def context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.context_keys_json))


class ConnectionContext(Base):
    """One context key of one connection: for filters."""

    __tablename__ = "connection_contexts"

    connection_id: Mapped[str] = mapped_column(
        ForeignKey("channel_connections.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(ID, primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer)


class Subscriber(Base):
    __tablename__ = "subscribers"

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    subscriber_id: Mapped[str] = mapped_column(ID, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Context(Base):
    __tablename__ = "contexts"

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    type: Mapped[str] = mapped_column(ID, primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to; None does not narrow."""

    text: str | None = None
    status: str | None = None
    integration_id: str | None = None
    mode: str | None = None
    context_key: str | None = None


def add(session: Session, connection: ChannelConnection, context_keys: Sequence[str]) -> None:
    connection.context_keys_json = json.dumps(list(context_keys))
    session.add(connection)
    session.flush()
    session.add_all(
        ConnectionContext(connection_id=connection.id, key=key, position=place)
        for place, key in enumerate(context_keys)
    )
    session.flush()


def by_identity(session: Session, environment_id: str, identity_key: str) -> ChannelConnection | None:
    return session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.environment_id == environment_id, ChannelConnection.identity_key == identity_key
        )
    )


def by_identifier(session: Session, environment_id: str, identifier: str) -> ChannelConnection | None:
    return session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.environment_id == environment_id, ChannelConnection.identifier == identifier
        )
    )


def count_on_installation(session: Session, installation_id: str) -> int:
    query = select(func.count()).where(ChannelConnection.installation_id == installation_id)
    return session.scalar(query) or 0


def held_by_another(session: Session, integration_id: str, workspace_id: str, identity_key: str) -> bool:
    query = select(ChannelConnection.id).where(
        ChannelConnection.integration_id == integration_id,
        ChannelConnection.workspace_id == workspace_id,
        ChannelConnection.identity_key != identity_key,
    )
    return session.scalar(query.limit(1)) is not None


def page(
    session: Session,
    environment_id: str,
    narrowed: Filter,
    size: int,
    after: tuple[datetime, str] | None = None,
    before: tuple[datetime, str] | None = None,
) -> Sequence[ChannelConnection]:
    """Newest first, by keyset. `before` asks for the rows newer than that place, nearest first: the caller turns them round."""
    place = tuple_(ChannelConnection.created_at, ChannelConnection.id)
    query = _narrow(environment_id, narrowed)
    if after is not None:
        query = query.where(place < tuple_(after[0], after[1]))
    if before is not None:
        query = query.where(place > tuple_(before[0], before[1]))
        return session.scalars(query.order_by(ChannelConnection.created_at, ChannelConnection.id).limit(size)).all()
    newest = query.order_by(ChannelConnection.created_at.desc(), ChannelConnection.id.desc())
    return session.scalars(newest.limit(size)).all()


def count(session: Session, environment_id: str, narrowed: Filter, cap: int) -> int:
    """Counts to `cap` at most, so that a big table does not make every page slow."""
    inner = _narrow(environment_id, narrowed).with_only_columns(ChannelConnection.id).limit(cap).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def remove(session: Session, connection_id: str) -> None:
    session.execute(delete(ConnectionContext).where(ConnectionContext.connection_id == connection_id))
    session.execute(delete(ChannelConnection).where(ChannelConnection.id == connection_id))


def of_integration(session: Session, integration_id: str) -> Sequence[ChannelConnection]:
    return session.scalars(select(ChannelConnection).where(ChannelConnection.integration_id == integration_id)).all()


def remember_subscriber(session: Session, environment_id: str, subscriber_id: str, at: datetime) -> None:
    if session.get(Subscriber, (environment_id, subscriber_id)) is None:
        session.add(Subscriber(environment_id=environment_id, subscriber_id=subscriber_id, created_at=at))
        session.flush()


def remember_contexts(session: Session, environment_id: str, keys: Iterable[str], at: datetime) -> None:
    for key in keys:
        kind, _, name = key.partition(":")
        if session.get(Context, (environment_id, kind, name)) is None:
            session.add(Context(environment_id=environment_id, type=kind, id=name, created_at=at))
    session.flush()


def known_subscribers(session: Session, environment_id: str, limit: int) -> Sequence[str]:
    query = select(Subscriber.subscriber_id).where(Subscriber.environment_id == environment_id)
    return session.scalars(query.order_by(Subscriber.created_at.desc()).limit(limit)).all()


def known_contexts(session: Session, environment_id: str, limit: int) -> Sequence[tuple[str, str]]:
    query = select(Context.type, Context.id).where(Context.environment_id == environment_id)
    return [(kind, name) for kind, name in session.execute(query.order_by(Context.created_at.desc()).limit(limit))]


def _narrow(environment_id: str, narrowed: Filter) -> Select[ChannelConnection]:
    query = select(ChannelConnection).where(ChannelConnection.environment_id == environment_id)
    if narrowed.status:
        query = query.where(ChannelConnection.status == narrowed.status)
    if narrowed.integration_id:
        query = query.where(ChannelConnection.integration_id == narrowed.integration_id)
    if narrowed.mode:
        query = query.where(ChannelConnection.mode == narrowed.mode)
    if narrowed.context_key:
        holding = select(ConnectionContext.connection_id).where(ConnectionContext.key == narrowed.context_key)
        query = query.where(ChannelConnection.id.in_(holding))
    if narrowed.text:
        start = narrowed.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(
            or_(
                ChannelConnection.workspace_name.ilike(start, escape="\\"),
                ChannelConnection.subscriber_id.ilike(start, escape="\\"),
                ChannelConnection.workspace_id == narrowed.text,
                ChannelConnection.identifier == narrowed.text,
            )
        )
    return query
