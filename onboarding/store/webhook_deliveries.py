"""Webhook deliveries: an event for one endpoint, and how its latest try ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, Integer, Select, String, Text, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.store import pagination
from onboarding.store.cursors import Position
from onboarding.store.database import Base, table_of
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows, fetch_all, fetch_first
from onboarding.store.types import ID, UtcTime, columns_of, enum_by_value, is_named


class DeliveryState(StrEnum):
    #: A try is due, now or later.
    WAITING = "waiting"
    DELIVERED = "delivered"
    #: All tries failed, or the endpoint was paused. It can be replayed.
    PARKED = "parked"


class WebhookDelivery(Base):
    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_environment", "environment_id", "created_at", "id"),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "created_at", "id"),
        Index("ix_webhook_deliveries_state", "state", "due_at"),
        Index("ix_webhook_deliveries_subject", "environment_id", "subject", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    #: The id of the event, the same for all endpoints and tries.
    message_id: Mapped[str] = mapped_column(ID)
    event: Mapped[str] = mapped_column(String(60))
    #: The identifier of the connection, or the reference of the attempt.
    subject: Mapped[str] = mapped_column(ID)
    #: The number of the event among those of its connection; null for other events.
    sequence: Mapped[int | None] = mapped_column(Integer)
    #: The JSON that is sent. It contains no token.
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(enum_by_value(DeliveryState, 20))
    #: The number of the try that is due. Enqueued work of an earlier number does nothing.
    number: Mapped[int] = mapped_column(Integer)
    #: How many tries failed since the event or its replay.
    failures: Mapped[int] = mapped_column(Integer)
    #: When the next try is due, or when the last one was.
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: The status and the beginning of the body of the latest answer; null if there was none.
    answer_status: Mapped[int | None] = mapped_column(Integer)
    answer_body: Mapped[str | None] = mapped_column(Text)
    #: A sentence about why the latest try failed.
    problem: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int | None] = mapped_column(Integer)


class DeliveryRow(NamedTuple):
    id: str
    environment_id: str
    endpoint_id: str
    message_id: str
    event: str
    subject: str
    sequence: int | None
    body: str
    state: DeliveryState
    number: int
    failures: int
    due_at: datetime
    created_at: datetime
    tried_at: datetime | None
    answer_status: int | None
    answer_body: str | None
    problem: str | None
    milliseconds: int | None


class Due(NamedTuple):
    id: str
    number: int


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """The filters of a list; None does not filter."""

    endpoint_id: str | None = None
    state: str | None = None
    event: str | None = None
    subject: str | None = None


TABLE = table_of(WebhookDelivery)
_SELECT = select(*columns_of(TABLE, DeliveryRow._fields))


def add(rows: Rows, **values: object) -> None:
    rows.execute(insert(TABLE), values)


def by_id(rows: Rows, delivery_id: str) -> DeliveryRow | None:
    return fetch_first(rows, _SELECT.where(TABLE.c.id == delivery_id), DeliveryRow)


def find(rows: Rows, environment_id: str, delivery_id: str) -> DeliveryRow | None:
    query = _SELECT.where(TABLE.c.environment_id == environment_id, is_named(TABLE.c.id, delivery_id))
    return fetch_first(rows, query, DeliveryRow)


def newest_of(rows: Rows, environment_id: str, endpoint_id: str) -> DeliveryRow | None:
    """Return the newest delivery to an endpoint."""
    query = _SELECT.where(TABLE.c.environment_id == environment_id, TABLE.c.endpoint_id == endpoint_id)
    return fetch_first(rows, query.order_by(TABLE.c.created_at.desc(), TABLE.c.id.desc()).limit(1), DeliveryRow)


def end_try(rows: Rows, delivery_id: str, number: int, /, **values: object) -> bool:
    """Store the result of a try. Return False if the delivery does not wait for this try any more."""
    waiting = update(TABLE).where(
        TABLE.c.id == delivery_id, TABLE.c.number == number, TABLE.c.state == DeliveryState.WAITING
    )
    return rows.execute(waiting.values(values).returning(TABLE.c.id)).first() is not None


def restart(rows: Rows, delivery_id: str, at: datetime) -> int | None:
    """Let a delivery begin again, unless it waits for a try. Return the number of its next try."""
    ended = update(TABLE).where(TABLE.c.id == delivery_id, TABLE.c.state != DeliveryState.WAITING)
    values = {"state": DeliveryState.WAITING, "number": TABLE.c.number + 1, "failures": 0, "due_at": at}
    found: int | None = rows.scalar(ended.values(values).returning(TABLE.c.number))
    return found


def parked_of(rows: Rows, endpoint_id: str, limit: int) -> Sequence[str]:
    """Return the endpoint's parked deliveries, the oldest first."""
    query = select(TABLE.c.id).where(TABLE.c.endpoint_id == endpoint_id, TABLE.c.state == DeliveryState.PARKED)
    return rows.scalars(query.order_by(TABLE.c.created_at, TABLE.c.id).limit(limit)).all()


def overdue(rows: Rows, since: datetime, limit: int) -> Sequence[Due]:
    """Return waiting deliveries whose try has been due since `since` or longer."""
    query = select(TABLE.c.id, TABLE.c.number).where(TABLE.c.state == DeliveryState.WAITING, TABLE.c.due_at <= since)
    return fetch_all(rows, query.order_by(TABLE.c.due_at).limit(limit), Due)


def purge(rows: Rows, before: datetime, limit: int) -> int:
    """Delete deliveries that ended before `before`, and return how many."""
    old = select(TABLE.c.id).where(TABLE.c.state != DeliveryState.WAITING, TABLE.c.due_at < before).limit(limit)
    return len(rows.execute(delete(TABLE).where(TABLE.c.id.in_(old)).returning(TABLE.c.id)).all())


def page(rows: Rows, environment_id: str, request: StorePageRequest, wanted: DeliveryFilter) -> PageRows[DeliveryRow]:
    query = _narrowed(_SELECT, environment_id, wanted)

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[DeliveryRow]:
        found = pagination.seek(query, TABLE.c.created_at, TABLE.c.id, descending, position).limit(size)
        return fetch_all(rows, found, DeliveryRow)

    return pagination.fetch_page(fetch, request, lambda row: Position((row.created_at,), row.id))


def count(rows: Rows, environment_id: str, wanted: DeliveryFilter, cap: int) -> int:
    inner = _narrowed(select(TABLE.c.id), environment_id, wanted).limit(cap).subquery()
    return rows.scalar(select(func.count()).select_from(inner)) or 0


def _narrowed(
    query: "Select[*tuple[object, ...]]", environment_id: str, wanted: DeliveryFilter
) -> "Select[*tuple[object, ...]]":
    query = query.where(TABLE.c.environment_id == environment_id)
    for name in ("endpoint_id", "state", "event", "subject"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(is_named(TABLE.c[name], value))
    return query
