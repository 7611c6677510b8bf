"""Subscribers: the people or accounts that connections belong to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import ForeignKey, Index, Select, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store import pagination
from onboarding.store.cursors import Position
from onboarding.store.database import Base, insert_missing, insert_or_ignore, table_of
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime, is_named

PROFILE = ("first_name", "last_name", "email", "phone", "avatar", "locale", "timezone", "data")


class Subscriber(Base):
    __tablename__ = "subscribers"
    __table_args__ = (
        Index("ix_subscribers_created", "environment_id", "created_at", "subscriber_id"),
        Index("ix_subscribers_updated", "environment_id", "updated_at", "subscriber_id"),
    )

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    subscriber_id: Mapped[str] = mapped_column(ID, primary_key=True)
    first_name: Mapped[str | None] = mapped_column(String(255))
    last_name: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    phone: Mapped[str | None] = mapped_column(String(100))
    avatar: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str | None] = mapped_column(String(100))
    timezone: Mapped[str | None] = mapped_column(String(100))
    #: A JSON object as text, because PostgreSQL's jsonb would reorder its members.
    data: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


Ts = TypeVarTuple("Ts")
_TABLE = table_of(Subscriber)
_OF = (_TABLE.c.environment_id, _TABLE.c.subscriber_id)
_NO_PROFILE = dict.fromkeys(PROFILE)


def find(session: Session, environment_id: str, subscriber_id: str) -> Subscriber | None:
    return session.scalar(select(Subscriber).where(_OF[0] == environment_id, is_named(_OF[1], subscriber_id)))


def remember(rows: Rows, environment_id: str, subscriber_id: str, at: datetime) -> None:
    """Create the subscriber without a profile if it is missing, and lock it as `hold` does."""
    row = _row(environment_id, subscriber_id, {}, at)
    # Another transaction may delete the subscriber between the two statements.
    while not insert_or_ignore(rows, Subscriber, row) and not hold(rows, environment_id, subscriber_id):
        pass


def add_missing(rows: Rows, environment_id: str, subscriber_ids: Sequence[str], at: datetime) -> None:
    """Create the subscribers that are missing, without a profile."""
    insert_missing(rows, Subscriber, [_row(environment_id, one, {}, at) for one in subscriber_ids])


def hold(rows: Rows, environment_id: str, subscriber_id: str) -> bool:
    """Lock the subscriber against deletion until the transaction ends. Return False if it does not exist."""
    query = select(_OF[1]).where(_OF[0] == environment_id, is_named(_OF[1], subscriber_id))
    return rows.scalar(query.with_for_update(read=True, key_share=True)) is not None


def add(session: Session, environment_id: str, subscriber_id: str, profile: Mapping[str, object], at: datetime) -> bool:
    """Create the subscriber. Return False if it exists."""
    return insert_or_ignore(session, Subscriber, _row(environment_id, subscriber_id, profile, at))


def change(
    session: Session, environment_id: str, subscriber_id: str, profile: Mapping[str, object], at: datetime
) -> bool:
    """Change the given fields. Return False if the subscriber does not exist."""
    done = session.execute(
        update(_TABLE)
        .where(_OF[0] == environment_id, is_named(_OF[1], subscriber_id))
        .values(**profile, updated_at=at)
        .returning(_OF[1])
    )
    return done.first() is not None


def remove(session: Session, environment_id: str, subscriber_id: str) -> bool:
    """Delete the subscriber. Return False if it does not exist."""
    done = session.execute(
        delete(_TABLE).where(_OF[0] == environment_id, is_named(_OF[1], subscriber_id)).returning(_OF[1])
    )
    return done.first() is not None


def newest(session: Session, environment_id: str, limit: int) -> Sequence[str]:
    query = select(_OF[1]).where(_OF[0] == environment_id).order_by(_TABLE.c.created_at.desc())
    return session.scalars(query.limit(limit)).all()


def page(
    session: Session, environment_id: str, request: StorePageRequest, wanted: Mapping[str, str]
) -> PageRows[Subscriber]:
    """Read a page. `wanted`: exact `subscriber_id`, `email`, `phone`; `name` is a part of the first or last name."""
    query = _narrowed(select(Subscriber), environment_id, wanted)
    moment = _TABLE.c[request.order]

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[Subscriber]:
        return session.scalars(pagination.seek(query, moment, _OF[1], descending, position).limit(size)).all()

    return pagination.fetch_page(
        fetch, request, lambda row: Position((getattr(row, request.order),), row.subscriber_id)
    )


def count(session: Session, environment_id: str, wanted: Mapping[str, str], cap: int) -> int:
    inner = _narrowed(select(_OF[1]), environment_id, wanted).limit(cap).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def _narrowed(query: Select[*Ts], environment_id: str, wanted: Mapping[str, str]) -> Select[*Ts]:
    query = query.where(_OF[0] == environment_id)
    for name in ("subscriber_id", "email", "phone"):
        if name in wanted:
            query = query.where(_TABLE.c[name] == wanted[name])
    if "name" in wanted:
        part = pagination.containing(wanted["name"])
        query = query.where(_TABLE.c.first_name.ilike(part, escape="\\") | _TABLE.c.last_name.ilike(part, escape="\\"))
    return query


def _row(environment_id: str, subscriber_id: str, profile: Mapping[str, object], at: datetime) -> dict[str, object]:
    names = {"environment_id": environment_id, "subscriber_id": subscriber_id}
    return {**_NO_PROFILE, **names, "created_at": at, "updated_at": at, **profile}
