"""Audit entries: the actor, action, subject and time of every change. Never a secret."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import product
from typing import NamedTuple

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, select, text, true, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store import pagination
from onboarding.store.cursors import Position
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.inserts import CompiledInsert, NewRows, insert_together
from onboarding.store.pagination import PageRows, StorePageRequest
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.types import ID, UtcTime, columns_of


class AuditEntry(Base):
    __tablename__ = "audit_entries"
    __table_args__ = (
        # Each ends with the order of the list: SQLite would read another index to avoid sorting.
        Index("ix_audit_entries_subject", "environment_id", "subject", "at", "id"),
        Index("ix_audit_entries_environment_id_at", "environment_id", "at", "id"),
        Index("ix_audit_entries_actor", "environment_id", "actor", "at", "id"),
        Index("ix_audit_entries_action", "environment_id", "action", "at", "id"),
        # Most entries have no name.
        Index(
            "ix_audit_entries_subject_name",
            "environment_id",
            "subject_name",
            "at",
            "id",
            sqlite_where=text("subject_name IS NOT NULL"),
            postgresql_where=text("subject_name IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: Null if the subject belongs to the whole deployment, such as an operator.
    environment_id: Mapped[str | None] = mapped_column(ForeignKey("environments.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    #: `operator:<label>`, `link:<id>`, `key:<id>`, `shell`, `shell:<user>`, `system`, `slack`.
    actor: Mapped[str] = mapped_column(String(400))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(ID)
    #: The subject's display name, such as the workspace's name; null if it has none.
    subject_name: Mapped[str | None] = mapped_column(Text)
    #: The result of an action that can end in several ways; null for all others.
    result: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """The values of a new entry, one field for each column."""

    id: str
    environment_id: str | None
    at: datetime
    actor: str
    action: str
    subject: str
    subject_name: str | None = None
    result: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class AuditFilter:
    """The entries to list. An empty value lists all."""

    action: str = ""
    #: Actors as they are stored, such as `operator:ada@example.com`.
    actors: tuple[str, ...] = ()
    #: The identifier, id or name of the subject.
    subject: str = ""
    since: datetime | None = None


class AuditRow(NamedTuple):
    id: str
    environment_id: str | None
    at: datetime
    actor: str
    action: str
    subject: str
    subject_name: str | None
    result: str | None
    detail: str


_COLUMNS = tuple(one.name for one in fields(NewEntry))
_TABLE = table_of(AuditEntry)
_INSERT = CompiledInsert(_TABLE)


def add(rows: Rows, entry: NewEntry, *new: NewRows) -> None:
    """Add the entry, together with the rows of a new subject."""
    insert_together(rows, *new, NewRows(_INSERT, (_values(entry),)))


def add_once(rows: Rows, entry: NewEntry) -> None:
    """Add the entry unless one with its id exists."""
    insert_or_ignore(rows, AuditEntry, _values(entry))


def page(rows: Rows, environment_id: str, wanted: AuditFilter, request: StorePageRequest) -> PageRows[AuditRow]:
    """Return entries of the environment, and of what belongs to the whole deployment."""
    query = select(*columns_of(_TABLE, AuditRow._fields)).where(*_conditions(wanted))
    # Each part is read from an index in the order of the list. With OR or IN, the database would sort all entries that
    # match.
    scopes = (_TABLE.c.environment_id == environment_id, _TABLE.c.environment_id.is_(None))
    parts = [query.where(*part) for part in product(scopes, _narrowest(wanted))]

    def fetch(*, descending: bool, position: Position | None, size: int) -> Sequence[AuditRow]:
        found = (
            pagination.seek(part, _TABLE.c.at, _TABLE.c.id, descending, position).limit(size).subquery()
            for part in parts
        )
        merged = union_all(*(select(part) for part in found)).subquery()
        order = (merged.c.at.desc(), merged.c.id.desc()) if descending else (merged.c.at, merged.c.id)
        return fetch_all(rows, select(merged).order_by(*order).limit(size), AuditRow)

    return pagination.fetch_page(fetch, request, lambda row: Position((row.at,), row.id))


def _narrowest(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """Split the filter into conditions such that no entry matches two of them, and each has an index."""
    if wanted.subject:
        is_subject = _TABLE.c.subject == wanted.subject
        return [is_subject, (_TABLE.c.subject_name == wanted.subject) & (_TABLE.c.subject != wanted.subject)]
    if wanted.actors:
        return [_TABLE.c.actor == one for one in wanted.actors]
    return [_TABLE.c.action == wanted.action if wanted.action else true()]


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.action:
        conditions.append(_TABLE.c.action == wanted.action)
    if wanted.actors and wanted.subject:
        conditions.append(_TABLE.c.actor.in_(wanted.actors))
    if wanted.since is not None:
        conditions.append(_TABLE.c.at >= wanted.since)
    return conditions


def newest(session: Session, environment_id: str, action: str, subject: str) -> AuditEntry | None:
    query = select(AuditEntry).where(
        AuditEntry.environment_id == environment_id, AuditEntry.action == action, AuditEntry.subject == subject
    )
    return session.scalar(query.order_by(AuditEntry.at.desc()).limit(1))


def of_subject(
    session: Session, environment_id: str, subject: str, actions: Collection[str], limit: int
) -> Sequence[AuditEntry]:
    """Return a subject's newest entries with these actions: subjects of other kinds may have the same id."""
    query = select(AuditEntry).where(
        AuditEntry.environment_id == environment_id, AuditEntry.subject == subject, AuditEntry.action.in_(actions)
    )
    return session.scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)).all()


def set_result(session: Session, entry_id: str, result: str) -> None:
    entry = session.get(AuditEntry, entry_id)
    if entry is not None:
        entry.result = result


def _values(entry: NewEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in _COLUMNS}
