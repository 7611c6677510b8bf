"""Slack's events: each is handled once. Its body is erased as soon as it is not needed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, case, delete, literal, null, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.types import ID, SealedText, UtcTime

#: States of an event that is forwarded.
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"


class SlackEvent(Base):
    __tablename__ = "slack_events"
    __table_args__ = (
        UniqueConstraint("integration_id", "event_id"),
        Index("ix_slack_events_received_at", "received_at"),
        *(
            Index(
                f"ix_slack_events_{name}",
                name,
                sqlite_where=text(f"{name} IS NOT NULL"),
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("handle_at", "forward_at")
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: Slack's id of the event.
    event_id: Mapped[str] = mapped_column(String(100))
    type: Mapped[str] = mapped_column(String(100))
    #: The workspace or organization; null if Slack names none.
    owner_id: Mapped[str | None] = mapped_column(String(100))
    #: When it happened, by Slack's clock.
    happened_at: Mapped[datetime] = mapped_column(UtcTime)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Null until its effect is stored.
    handled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When it is handled next; null once it was.
    handle_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: `waiting`, `delivered` or `given_up`; null for an event that is not forwarded.
    forward_state: Mapped[str | None] = mapped_column(String(10))
    #: When it is delivered to the host next; null unless it waits for that.
    forward_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: How many deliveries to the host have failed.
    forward_failures: Mapped[int]
    #: Why the last one failed, in Slack's words for `X-Slack-Retry-Reason`; empty before.
    forward_reason: Mapped[str] = mapped_column(String(30))
    #: Slack's own signature, for the first delivery to the host.
    slack_timestamp: Mapped[str] = mapped_column(String(20))
    slack_signature: Mapped[str] = mapped_column(String(100))
    #: The body as Slack sent it; null once it is not needed any more.
    body: Mapped[Sealed | None] = mapped_column(SealedText)


class OverdueEvent(NamedTuple):
    id: str
    forward_failures: int


_TABLE = table_of(SlackEvent)


def add(rows: Rows, **values: object) -> bool:
    """Add an event. Return False if it was received before."""
    return insert_or_ignore(rows, SlackEvent, {"forward_failures": 0, "forward_reason": "", **values})


def by_id(session: Session, event_row_id: str) -> SlackEvent | None:
    """Return the event of any environment."""
    return session.scalar(select(SlackEvent).where(SlackEvent.id == event_row_id))


def mark_handled(rows: Rows, event_row_id: str, at: datetime) -> bool:
    """Store that the event's effect is part of this transaction. Return False if it was handled before."""
    matching = _TABLE.c.id == event_row_id, _TABLE.c.handled_at.is_(None)
    body = case((_TABLE.c.forward_state == WAITING, _TABLE.c.body), else_=null())
    done = update(_TABLE).where(*matching).values(handled_at=at, handle_at=None, body=body).returning(_TABLE.c.id)
    return rows.execute(done).first() is not None


def postpone(rows: Rows, event_row_id: str, now: datetime, until: datetime) -> bool:
    """Set the next time to handle the event. Return False if it was handled, or if another run has set a later time."""
    matching = _TABLE.c.id == event_row_id, _TABLE.c.handle_at <= now
    return (
        rows.execute(update(_TABLE).where(*matching).values(handle_at=until).returning(_TABLE.c.id)).first() is not None
    )


def overdue(rows: Rows, column: str, since: datetime, at: datetime, limit: int) -> Sequence[OverdueEvent]:
    """Return events whose `handle_at` or `forward_at` is `since` or earlier, and set it to `at`."""
    time = _TABLE.c[column]
    due = select(_TABLE.c.id).where(time <= since).order_by(time).limit(limit).with_for_update(skip_locked=True)
    ids = rows.scalars(due).all()
    moved = update(_TABLE).where(_TABLE.c.id.in_(ids)).values({column: at})
    return fetch_all(rows, moved.returning(_TABLE.c.id, _TABLE.c.forward_failures), OverdueEvent)


def end_forward(rows: Rows, event: SlackEvent, state: str, reason: str = "", next_at: datetime | None = None) -> bool:
    """Store how the next try to forward the event, as it was read, has ended.

    Return False if that try had ended before. `next_at`: when the try after it is due, if the event still waits.
    """
    failures = event.forward_failures
    matching = _TABLE.c.id == event.id, _TABLE.c.forward_state == WAITING, _TABLE.c.forward_failures == failures
    is_needed = (_TABLE.c.handled_at.is_(None)) | (literal(state) == WAITING)
    values: dict[str, object] = {
        "forward_state": state,
        "forward_failures": failures + (state != DELIVERED),
        "forward_reason": reason,
        "forward_at": next_at,
        "body": case((is_needed, _TABLE.c.body), else_=null()),
    }
    return rows.execute(update(_TABLE).where(*matching).values(values).returning(_TABLE.c.id)).first() is not None


def newer_exists(rows: Rows, event: SlackEvent) -> bool:
    """Return whether a later event of the same type and workspace was handled."""
    same = (
        _TABLE.c.integration_id == event.integration_id,
        _TABLE.c.type == event.type,
        _TABLE.c.owner_id == event.owner_id,
    )
    query = select(_TABLE.c.id).where(*same, _TABLE.c.happened_at > event.happened_at, _TABLE.c.handled_at.is_not(None))
    return rows.scalar(query.limit(1)) is not None


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete the oldest events that were received by `before`. Return how many."""
    due = select(_TABLE.c.id).where(_TABLE.c.received_at <= before).order_by(_TABLE.c.received_at).limit(limit)
    ids = session.scalars(due.with_for_update(skip_locked=True)).all()
    session.execute(delete(_TABLE).where(_TABLE.c.id.in_(ids)))
    return len(ids)
