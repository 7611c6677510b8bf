"""Contexts: objects of the host, such as `tenant:org-123`, that connections refer to, with the host's data."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store import pagination
from onboarding.store.compiled import CompiledStatement
from onboarding.store.cursors import Position
from onboarding.store.database import Base, insert_missing, insert_or_ignore, table_of
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime, is_named


class Context(Base):
    __tablename__ = "contexts"
    __table_args__ = (
        Index("ix_contexts_created", "environment_id", "created_at", "type", "id"),
        Index("ix_contexts_updated", "environment_id", "updated_at", "type", "id"),
    )

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    type: Mapped[str] = mapped_column(ID, primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: A JSON object as text, because PostgreSQL's jsonb would reorder its members.
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class ContextKey(NamedTuple):
    type: str
    id: str


Ts = TypeVarTuple("Ts")
_TABLE = table_of(Context)
#: `type:id` orders contexts with equal times. Neither part may contain a colon.
_KEY = _TABLE.c.type + ":" + _TABLE.c.id


def find(session: Session, environment_id: str, kind: str, name: str) -> Context | None:
    return session.scalar(select(Context).where(*_is(environment_id, kind, name)))


def remember(rows: Rows, environment_id: str, given: Mapping[str, str | None] | Iterable[str], at: datetime) -> None:
    """Create the contexts that are missing, and lock all of them against deletion until the transaction ends.

    `given`: keys, or keys with their data as JSON. The data of existing contexts is not changed.
    """
    with_data = given if isinstance(given, Mapping) else dict.fromkeys(given)
    if not with_data:
        return
    # Every transaction locks in the same order, which prevents deadlocks.
    for key in sorted(with_data.keys() - _hold(rows, environment_id, with_data)):
        row = _row(environment_id, key, with_data[key], at)
        # Another transaction may delete the context between the two statements.
        while not insert_or_ignore(rows, Context, row) and not _hold(rows, environment_id, [key]):
            pass


def add_missing(rows: Rows, environment_id: str, keys: Iterable[str], at: datetime) -> None:
    """Create the contexts that are missing, without data."""
    insert_missing(rows, Context, [_row(environment_id, key, None, at) for key in keys])


def _hold(rows: Rows, environment_id: str, keys: Iterable[str]) -> set[str]:
    """Lock the existing contexts against deletion until the transaction ends. Return their keys."""
    values, number = {"environment": environment_id}, 0
    for number, key in enumerate(keys, 1):
        values[f"type_{number}"], _, values[f"id_{number}"] = key.partition(":")
    return {f"{one.type}:{one.id}" for one in _holding(number).all(rows, values)}


@cache
def _holding(number: int) -> CompiledStatement[ContextKey]:
    numbers = range(1, number + 1)
    keys = [and_(_TABLE.c.type == bindparam(f"type_{n}"), _TABLE.c.id == bindparam(f"id_{n}")) for n in numbers]
    query = select(_TABLE.c.type, _TABLE.c.id).where(_TABLE.c.environment_id == bindparam("environment"), or_(*keys))
    return CompiledStatement(query.with_for_update(read=True, key_share=True), ContextKey)


def add(session: Session, environment_id: str, key: str, data: Mapping[str, object], at: datetime) -> bool:
    """Create the context. Return False if it exists."""
    return insert_or_ignore(session, Context, _row(environment_id, key, json.dumps(data), at))


def change(session: Session, environment_id: str, key: str, data: Mapping[str, object], at: datetime) -> bool:
    """Replace the data. Return False if the context does not exist."""
    kind, _, name = key.partition(":")
    done = session.execute(
        update(_TABLE)
        .where(*_is(environment_id, kind, name))
        .values(data=json.dumps(data), updated_at=at)
        .returning(_TABLE.c.id)
    )
    return done.first() is not None


def remove(session: Session, environment_id: str, kind: str, name: str) -> bool:
    """Delete the context. Return False if it does not exist."""
    done = session.execute(delete(_TABLE).where(*_is(environment_id, kind, name)).returning(_TABLE.c.id))
    return done.first() is not None


def newest(session: Session, environment_id: str, limit: int) -> Sequence[tuple[str, str]]:
    query = select(_TABLE.c.type, _TABLE.c.id).where(_TABLE.c.environment_id == environment_id)
    return [(kind, name) for kind, name in session.execute(query.order_by(_TABLE.c.created_at.desc()).limit(limit))]


def page(
    session: Session, environment_id: str, request: StorePageRequest, wanted: Mapping[str, str]
) -> PageRows[Context]:
    """Read a page. `wanted`: exact `type` and `id`; `search` is a part of `type:id` in any case."""
    query = _narrowed(select(Context), environment_id, wanted)
    moment = _TABLE.c[request.order]

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[Context]:
        return session.scalars(pagination.seek(query, moment, _KEY, descending, position).limit(size)).all()

    return pagination.fetch_page(
        fetch, request, lambda row: Position((getattr(row, request.order),), f"{row.type}:{row.id}")
    )


def count(session: Session, environment_id: str, wanted: Mapping[str, str], cap: int) -> int:
    inner = _narrowed(select(_TABLE.c.id), environment_id, wanted).limit(cap).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def _narrowed(query: Select[*Ts], environment_id: str, wanted: Mapping[str, str]) -> Select[*Ts]:
    query = query.where(_TABLE.c.environment_id == environment_id)
    for name in ("type", "id"):
        if name in wanted:
            query = query.where(_TABLE.c[name] == wanted[name])
    if "search" in wanted:
        query = query.where(_KEY.ilike(pagination.containing(wanted["search"]), escape="\\"))
    return query


def _is(environment_id: str, kind: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.c.environment_id == environment_id, is_named(_TABLE.c.type, kind), is_named(_TABLE.c.id, name))


def _row(environment_id: str, key: str, data: str | None, at: datetime) -> dict[str, object]:
    kind, _, name = key.partition(":")
    moments = {"created_at": at, "updated_at": at}
    return {"environment_id": environment_id, "type": kind, "id": name, "data": data or "{}", **moments}
