"""The tries of webhook deliveries, each with its answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Integer, Text, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.types import UtcTime, columns_of


class WebhookTry(Base):
    __tablename__ = "webhook_tries"

    delivery_id: Mapped[str] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True)
    #: The number of the try among those of its delivery. A replay continues the numbers.
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    tried_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The status and the beginning of the body of the answer; null if there was none.
    answer_status: Mapped[int | None] = mapped_column(Integer)
    answer_body: Mapped[str | None] = mapped_column(Text)
    #: A sentence about why the try failed; null if it did not.
    problem: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int] = mapped_column(Integer)


class TryRow(NamedTuple):
    number: int
    tried_at: datetime
    answer_status: int | None
    answer_body: str | None
    problem: str | None
    milliseconds: int


TABLE = table_of(WebhookTry)


def add(rows: Rows, **values: object) -> None:
    rows.execute(insert(TABLE), values)


def all_of(rows: Rows, delivery_id: str) -> Sequence[TryRow]:
    """Return the tries of a delivery, the newest first."""
    query = select(*columns_of(TABLE, TryRow._fields)).where(TABLE.c.delivery_id == delivery_id)
    return fetch_all(rows, query.order_by(TABLE.c.number.desc()), TryRow)
