"""The heartbeats of running workers, by which another worker notices that one died."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from onboarding import clock
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows, dialect_of
from onboarding.store.types import ID, UtcTime


class Worker(Base):
    """A worker since its start. A restarted worker has another id."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class Heartbeat(NamedTuple):
    id: str
    started_at: datetime
    seen_at: datetime
    #: The database's time. Workers on several computers may have clocks that differ.
    now: datetime


def _heartbeats(now: ColumnElement[Any]) -> CompiledStatement[Heartbeat]:
    query = select(Worker.id, Worker.started_at, Worker.seen_at, now.label("now"))
    return CompiledStatement(query.order_by(Worker.started_at, Worker.id), Heartbeat)


_workers = table_of(Worker)
#: All processes that use one SQLite file are on one computer, so the caller passes its time.
_HEARTBEATS = {
    "sqlite": _heartbeats(bindparam("now", type_=UtcTime)),
    "postgresql": _heartbeats(func.clock_timestamp(type_=UtcTime)),
}


def add(rows: Rows, worker_id: str) -> None:
    now = _now(rows)
    rows.execute(_workers.insert().values(id=worker_id, started_at=now, seen_at=now))


def beat(rows: Rows, worker_id: str) -> bool:
    """Store that the worker is alive. False if its row was removed."""
    statement = update(Worker).where(Worker.id == worker_id).values(seen_at=_now(rows)).returning(Worker.id)
    return rows.execute(statement).first() is not None


def heartbeats(rows: Rows) -> list[Heartbeat]:
    """Return all workers, the oldest first."""
    return _HEARTBEATS[dialect_of(rows)].all(rows, {"now": clock.now()})


def remove(rows: Rows, worker_id: str) -> None:
    rows.execute(delete(Worker).where(Worker.id == worker_id))


def remove_unseen(rows: Rows, worker_id: str, silence: timedelta) -> None:
    """Remove a worker that was not seen for `silence`."""
    rows.execute(delete(Worker).where(Worker.id == worker_id, Worker.seen_at < _now(rows, -silence)))


def _now(rows: Rows, change: timedelta = timedelta()) -> ColumnElement[Any]:
    """Return PostgreSQL's time. All processes that use one SQLite file are on one computer."""
    if dialect_of(rows) == "sqlite":
        return literal(clock.now() + change, UtcTime)
    return func.clock_timestamp(type_=UtcTime) + literal(change) if change else func.clock_timestamp(type_=UtcTime)
