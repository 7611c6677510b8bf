"""Channel endpoints: the destinations of messages in Slack, such as a channel or a webhook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import ForeignKey, Index, Select, String, Text, UniqueConstraint, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.outcomes import EndpointStatus
from onboarding.sealed import Sealed
from onboarding.store import pagination
from onboarding.store.connections import ChannelConnection
from onboarding.store.cursors import Position
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.integrations import Integration
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows, fetch_all, fetch_first
from onboarding.store.types import ID, SealedText, UtcTime, enum_by_value, is_named


class ChannelEndpoint(Base):
    __tablename__ = "channel_endpoints"
    __table_args__ = (
        UniqueConstraint("environment_id", "identifier"),
        Index("ix_channel_endpoints_created", "environment_id", "created_at", "id"),
        Index("ix_channel_endpoints_updated", "environment_id", "updated_at", "id"),
        Index("ix_channel_endpoints_subscriber", "environment_id", "subscriber_id", "created_at", "id"),
        Index("ix_channel_endpoints_channel", "integration_id", "channel_id"),
    )

    #: `end_…`; or, for an endpoint that an install created, the connection's id and its purpose (`installed_id`).
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    identifier: Mapped[str] = mapped_column(ID)
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: Null if the endpoint needs no connection, such as a webhook.
    connection_id: Mapped[str | None] = mapped_column(
        ForeignKey("channel_connections.id", ondelete="CASCADE"), index=True
    )
    subscriber_id: Mapped[str] = mapped_column(ID)
    #: A JSON list in the caller's order. `context_digest` is the same for equal sets.
    context_keys: Mapped[str] = mapped_column(Text)
    context_digest: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(20))
    #: A JSON object, sealed, because everyone who knows a webhook's URL can post to it.
    endpoint: Mapped[Sealed] = mapped_column(SealedText)
    #: The Slack channel of a `slack_channel`, and of a webhook that an install created. Null: there is none, or it is
    #: unknown.
    channel_id: Mapped[str | None] = mapped_column(ID)
    status: Mapped[EndpointStatus] = mapped_column(enum_by_value(EndpointStatus, 10), server_default="active")
    #: When the newest of Slack's events about the status, and about the name, happened. Null before the first one.
    status_at: Mapped[datetime | None] = mapped_column(UtcTime)
    name_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class EndpointFilter:
    """The filters of a list; None does not filter."""

    integration_id: str | None = None
    subscriber_id: str | None = None
    context_digest: str | None = None
    connection_identifier: str | None = None


class EndpointRow(NamedTuple):
    """An endpoint, with the identifiers of its integration and its connection."""

    id: str
    identifier: str
    subscriber_id: str
    context_keys: str
    type: str
    endpoint: Sealed
    status: EndpointStatus
    created_at: datetime
    updated_at: datetime
    integration_identifier: str
    connection_identifier: str | None


class StoredTarget(NamedTuple):
    """An endpoint's id and its sealed target."""

    id: str
    endpoint: Sealed


Ts = TypeVarTuple("Ts")
TABLE, CONNECTION, _INTEGRATION = table_of(ChannelEndpoint), table_of(ChannelConnection), table_of(Integration)
#: The values for a target that Slack has reported nothing about.
_UNCHANGED: Mapping[str, object] = {"status": EndpointStatus.ACTIVE, "status_at": None, "name_at": None}
_DOCUMENTED = (
    select(
        *(TABLE.c[name] for name in EndpointRow._fields if name in TABLE.c),
        _INTEGRATION.c.identifier.label("integration_identifier"),
        CONNECTION.c.identifier.label("connection_identifier"),
    )
    .join_from(TABLE, _INTEGRATION, TABLE.c.integration_id == _INTEGRATION.c.id)
    .outerjoin(CONNECTION, TABLE.c.connection_id == CONNECTION.c.id)
)


def installed_id(connection_id: str, *purpose: str) -> str:
    """Return the id of the endpoint that installs create for this purpose: one for each connection."""
    return ".".join((connection_id, *purpose))


def add(session: Session, **values: object) -> None:
    session.execute(insert(TABLE), {**_UNCHANGED, **values})


def put(rows: Rows, **values: Any) -> str | None:
    """Add an endpoint, or replace the target of the one with this id. Return the identifier of one that existed."""
    values = {**_UNCHANGED, **values}
    if insert_or_ignore(rows, ChannelEndpoint, values):
        return None
    replaced = {name: values[name] for name in ("endpoint", "channel_id", "updated_at", *_UNCHANGED)}
    change = update(TABLE).where(TABLE.c.id == values["id"]).values(replaced).returning(TABLE.c.identifier)
    existing: str | None = rows.scalar(change)
    return existing


def targets(rows: Rows, connection_id: str, kind: str) -> list[StoredTarget]:
    """Return the connection's endpoints of one type."""
    query = select(TABLE.c.id, TABLE.c.endpoint)
    return fetch_all(rows, query.where(TABLE.c.connection_id == connection_id, TABLE.c.type == kind), StoredTarget)


def remove_installed(rows: Rows, connection_id: str) -> Sequence[str]:
    """Delete the endpoints that installs created for the connection, and return their identifiers."""
    installed = TABLE.c.id.startswith(installed_id(connection_id, ""), autoescape=True)
    own = delete(TABLE).where(TABLE.c.connection_id == connection_id, installed)
    return rows.scalars(own.returning(TABLE.c.identifier)).all()


def find(session: Session, environment_id: str, identifier: str) -> EndpointRow | None:
    named = _DOCUMENTED.where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.identifier, identifier))
    return fetch_first(session, named, EndpointRow)


def change(session: Session, endpoint_id: str, endpoint: Sealed, channel_id: str | None, at: datetime) -> None:
    """Replace the target. Slack has reported nothing about the new one yet."""
    values = {"endpoint": endpoint, "channel_id": channel_id, "updated_at": at, **_UNCHANGED}
    session.execute(update(TABLE).where(TABLE.c.id == endpoint_id).values(values))


def remove(session: Session, environment_id: str, identifier: str) -> bool:
    """Delete the endpoint. Return False if it does not exist."""
    done = session.execute(
        delete(TABLE)
        .where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.identifier, identifier))
        .returning(TABLE.c.id)
    )
    return done.first() is not None


def remove_of_subscriber(session: Session, environment_id: str, subscriber_id: str) -> None:
    own = (TABLE.c.environment_id == environment_id, TABLE.c.subscriber_id == subscriber_id)
    session.execute(delete(TABLE).where(*own))


def page(
    session: Session, environment_id: str, request: StorePageRequest, wanted: EndpointFilter
) -> PageRows[EndpointRow]:
    query = _narrowed(_DOCUMENTED, environment_id, wanted)
    moment = TABLE.c[request.order]

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[EndpointRow]:
        page = pagination.seek(query, moment, TABLE.c.id, descending, position).limit(size)
        return fetch_all(session, page, EndpointRow)

    return pagination.fetch_page(fetch, request, lambda row: Position((getattr(row, request.order),), row.id))


def count(session: Session, environment_id: str, wanted: EndpointFilter, cap: int) -> int:
    base = select(TABLE.c.id).outerjoin(CONNECTION, TABLE.c.connection_id == CONNECTION.c.id)
    inner = _narrowed(base, environment_id, wanted).limit(cap).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def _narrowed(query: Select[*Ts], environment_id: str, wanted: EndpointFilter) -> Select[*Ts]:
    query = query.where(TABLE.c.environment_id == environment_id)
    for name in ("integration_id", "subscriber_id", "context_digest"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(TABLE.c[name] == value)
    if wanted.connection_identifier is not None:
        query = query.where(CONNECTION.c.identifier == wanted.connection_identifier)
    return query
