"""Webhook endpoints: the addresses at which a host gets events."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, bindparam, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows, fetch_all, fetch_first
from onboarding.store.types import ID, SealedText, TextTuple, UtcTime, columns_of, enum_by_value, is_named


class PauseReason(StrEnum):
    """Why an endpoint gets no events."""

    #: A person or a program paused it.
    REQUESTED = "requested"
    #: It failed for five days.
    FAILURES = "failures"
    #: It answered 410 Gone.
    GONE = "gone"


class WebhookEndpoint(Base):
    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("(pause_reason IS NULL) = (paused_at IS NULL)", name="paused"),
        Index("ix_webhook_endpoints_environment", "environment_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(String(255))
    #: A JSON list of the event types that are sent; empty for all of them.
    events: Mapped[tuple[str, ...]] = mapped_column(TextTuple)
    secret: Mapped[Sealed] = mapped_column(SealedText)
    #: The secret before the last change. Messages are also signed with it until `previous_until`.
    previous_secret: Mapped[Sealed | None] = mapped_column(SealedText)
    previous_until: Mapped[datetime | None] = mapped_column(UtcTime)
    pause_reason: Mapped[PauseReason | None] = mapped_column(enum_by_value(PauseReason, 20))
    paused_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the first of the current failures was; null after a success.
    failing_since: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class EndpointRow(NamedTuple):
    id: str
    environment_id: str
    url: str
    description: str
    events: tuple[str, ...]
    secret: Sealed
    previous_secret: Sealed | None
    previous_until: datetime | None
    pause_reason: PauseReason | None
    paused_at: datetime | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class Listener(NamedTuple):
    """An endpoint of an environment, to decide whether it gets an event."""

    id: str
    events: tuple[str, ...]
    pause_reason: PauseReason | None


TABLE = table_of(WebhookEndpoint)
_SELECT = select(*columns_of(TABLE, EndpointRow._fields))
_LISTENERS = CompiledStatement(
    select(*columns_of(TABLE, Listener._fields))
    .where(TABLE.c.environment_id == bindparam("environment"))
    .order_by(TABLE.c.id),
    Listener,
)


def add(rows: Rows, **values: object) -> None:
    rows.execute(insert(TABLE), values)


def find(rows: Rows, environment_id: str, endpoint_id: str) -> EndpointRow | None:
    query = _SELECT.where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.id, endpoint_id))
    return fetch_first(rows, query, EndpointRow)


def all_of(rows: Rows, environment_id: str) -> Sequence[EndpointRow]:
    """Return the environment's endpoints, the oldest first."""
    query = _SELECT.where(TABLE.c.environment_id == environment_id)
    return fetch_all(rows, query.order_by(TABLE.c.created_at, TABLE.c.id), EndpointRow)


def listeners(rows: Rows, environment_id: str) -> Sequence[Listener]:
    return _LISTENERS.all(rows, {"environment": environment_id})


def change(rows: Rows, endpoint_id: str, /, **values: object) -> None:
    rows.execute(update(TABLE).where(TABLE.c.id == endpoint_id).values(values))


def pause(rows: Rows, endpoint_id: str, reason: PauseReason, at: datetime) -> bool:
    """Pause an endpoint. Return False if it is paused already."""
    running = update(TABLE).where(TABLE.c.id == endpoint_id, TABLE.c.paused_at.is_(None))
    paused = running.values(pause_reason=reason, paused_at=at, updated_at=at).returning(TABLE.c.id)
    return rows.execute(paused).first() is not None


def begin_failing(rows: Rows, endpoint_id: str, at: datetime) -> None:
    """Store that the endpoint has failed since `at`, unless it has failed for longer."""
    working = update(TABLE).where(TABLE.c.id == endpoint_id, TABLE.c.failing_since.is_(None))
    rows.execute(working.values(failing_since=at))


def end_failing(rows: Rows, endpoint_id: str) -> None:
    failing = update(TABLE).where(TABLE.c.id == endpoint_id, TABLE.c.failing_since.is_not(None))
    rows.execute(failing.values(failing_since=None))


def remove(rows: Rows, environment_id: str, endpoint_id: str) -> bool:
    """Delete an endpoint with its deliveries. Return False if it does not exist."""
    matching = TABLE.c.environment_id == environment_id, is_named(TABLE.c.id, endpoint_id)
    return rows.execute(delete(TABLE).where(*matching).returning(TABLE.c.id)).first() is not None
