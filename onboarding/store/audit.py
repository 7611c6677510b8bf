"""Audit entries: the actor, action, subject and time of every change. Never a secret."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


class AuditEntry(Base):
    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject", "environment_id", "subject", "at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: Null if the subject belongs to the whole deployment, such as an operator.
    environment_id: Mapped[str | None] = mapped_column(ForeignKey("environments.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    #: `operator:<email>`, `link:<id>`, `key:<id>`, `shell`, `shell:<user>`, `system`, `slack`.
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


_COLUMNS = tuple(one.name for one in fields(NewEntry))
_INSERT = insert(table_of(AuditEntry))


def add(rows: Rows, entry: NewEntry) -> None:
    rows.execute(_INSERT, _values(entry))


def add_once(rows: Rows, entry: NewEntry) -> None:
    """Add the entry unless one with its id exists."""
    insert_or_ignore(rows, AuditEntry, _values(entry))


def newest(session: Session, environment_id: str, action: str, subject: str) -> AuditEntry | None:
    query = select(AuditEntry).where(
        AuditEntry.environment_id == environment_id, AuditEntry.action == action, AuditEntry.subject == subject
    )
    return session.scalar(query.order_by(AuditEntry.at.desc()).limit(1))


def of_subject(
    session: Session, environment_id: str, subject: str, actions: Collection[str], limit: int
) -> Sequence[AuditEntry]:
    """Return the newest entries about a subject. Subjects of other kinds may have the same id, so the actions decide."""
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
