"""Bulk runs: one action for many connections, with a result for each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.types import ID, UtcTime, columns_of


class BulkRun(Base):
    __tablename__ = "bulk_runs"
    __table_args__ = (
        CheckConstraint("action IN ('check', 'link', 'disconnect')", name="action"),
        Index("ix_bulk_runs_environment_id_created_at", "environment_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    action: Mapped[str] = mapped_column(String(20))
    #: As audit entries store it.
    actor: Mapped[str] = mapped_column(String(400))
    total: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Null until the operator has confirmed a run that disconnects.
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the newest result was stored, or the work was enqueued; null before it starts.
    worked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


class BulkItem(Base):
    """One connection of a run."""

    __tablename__ = "bulk_items"

    run_id: Mapped[str] = mapped_column(ForeignKey("bulk_runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    identifier: Mapped[str] = mapped_column(ID)
    #: The workspace's name, and the customer, when the run was created.
    workspace: Mapped[str] = mapped_column(Text)
    customer: Mapped[str] = mapped_column(Text)
    #: Null until it is done.
    result: Mapped[str | None] = mapped_column(String(40))
    #: The id of a new link, or a sentence.
    detail: Mapped[str | None] = mapped_column(Text)


class RunRow(NamedTuple):
    id: str
    environment_id: str
    action: str
    actor: str
    total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ItemRow(NamedTuple):
    position: int
    identifier: str
    workspace: str
    customer: str
    result: str | None
    detail: str | None


_RUNS, _ITEMS = table_of(BulkRun), table_of(BulkItem)
_SELECT_RUN = select(*columns_of(_RUNS, RunRow._fields))
_SELECT_ITEM = select(*columns_of(_ITEMS, ItemRow._fields)).order_by(_ITEMS.c.position)


def add(rows: Rows, run: Mapping[str, object], items: Sequence[Mapping[str, object]]) -> None:
    rows.execute(insert(_RUNS), run)
    rows.execute(insert(_ITEMS), items)


def by_id(rows: Rows, environment_id: str, run_id: str) -> RunRow | None:
    found = fetch_all(rows, _SELECT_RUN.where(_RUNS.c.environment_id == environment_id, _RUNS.c.id == run_id), RunRow)
    return found[0] if found else None


def of_worker(rows: Rows, run_id: str) -> RunRow | None:
    """Return a run of any environment: a worker knows only the run's id."""
    found = fetch_all(rows, _SELECT_RUN.where(_RUNS.c.id == run_id), RunRow)
    return found[0] if found else None


def newest(rows: Rows, environment_id: str, limit: int) -> list[RunRow]:
    query = _SELECT_RUN.where(_RUNS.c.environment_id == environment_id, _RUNS.c.started_at.is_not(None))
    return fetch_all(rows, query.order_by(_RUNS.c.created_at.desc(), _RUNS.c.id.desc()).limit(limit), RunRow)


def items_of(rows: Rows, run_id: str) -> list[ItemRow]:
    return fetch_all(rows, _SELECT_ITEM.where(_ITEMS.c.run_id == run_id), ItemRow)


def pending(rows: Rows, run_id: str, limit: int) -> list[ItemRow]:
    return fetch_all(
        rows, _SELECT_ITEM.where(_ITEMS.c.run_id == run_id, _ITEMS.c.result.is_(None)).limit(limit), ItemRow
    )


def count_done(rows: Rows, run_id: str) -> int:
    return rows.scalar(select(func.count(_ITEMS.c.result)).where(_ITEMS.c.run_id == run_id)) or 0


def start(rows: Rows, environment_id: str, run_id: str, at: datetime) -> bool:
    """Return whether this call started the run: of concurrent callers, one gets True."""
    waiting = _RUNS.c.environment_id == environment_id, _RUNS.c.id == run_id, _RUNS.c.started_at.is_(None)
    return (
        rows.execute(update(_RUNS).where(*waiting).values(started_at=at, worked_at=at).returning(_RUNS.c.id)).first()
        is not None
    )


def save(rows: Rows, item: ItemRow, run_id: str, at: datetime) -> None:
    """Store the result of a connection, unless a worker that died had stored one."""
    matching = _ITEMS.c.run_id == run_id, _ITEMS.c.position == item.position, _ITEMS.c.result.is_(None)
    rows.execute(update(_ITEMS).where(*matching).values(result=item.result, detail=item.detail))
    rows.execute(update(_RUNS).where(_RUNS.c.id == run_id).values(worked_at=at))


def overdue(rows: Rows, since: datetime, at: datetime) -> Sequence[str]:
    """Return the ids of the runs on which nobody has worked since `since`, and set their `worked_at` to `at`."""
    lost = _RUNS.c.finished_at.is_(None), _RUNS.c.worked_at <= since
    return rows.scalars(update(_RUNS).where(*lost).values(worked_at=at).returning(_RUNS.c.id)).all()


def finish(rows: Rows, run_id: str, at: datetime) -> None:
    rows.execute(update(_RUNS).where(_RUNS.c.id == run_id, _RUNS.c.finished_at.is_(None)).values(finished_at=at))


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete the oldest runs that were created by `before`, with their results. Return how many."""
    due = select(_RUNS.c.id).where(_RUNS.c.created_at <= before).limit(limit)
    ids = session.scalars(due.with_for_update(skip_locked=True)).all()
    session.execute(delete(_ITEMS).where(_ITEMS.c.run_id.in_(ids)))
    session.execute(delete(_RUNS).where(_RUNS.c.id.in_(ids)))
    return len(ids)
