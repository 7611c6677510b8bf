"""The audit: who did what, when. Never a secret."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding import ids
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, Rows, insert_or_ignore, table_of
from onboarding.store.types import ID, UtcTime


class AuditEntry(Base):
    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject", "environment_id", "subject", "at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    #: `operator:<email>`, `link:<id>`, `key:<id>`, `shell`, `system`.
    actor: Mapped[str] = mapped_column(String(400))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(ID)
    detail: Mapped[str] = mapped_column(Text)


_TABLE = table_of(AuditEntry)
_INSERT = CompiledStatement(insert(_TABLE))


def note(
    rows: Rows,
    environment_id: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: str,
    entry_id: str | None = None,
) -> None:
    """One entry. `entry_id` is for who wants to add the end of the story (`set_detail`)."""
    _INSERT.run(rows, _values(entry_id or ids.new_id("aud"), environment_id, at, actor, action, subject, detail))


def note_once(
    rows: Rows,
    entry_id: str,
    environment_id: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: str,
) -> None:
    """One entry for all that share this id: later ones are ignored."""
    row = _values(entry_id, environment_id, at, actor, action, subject, detail)
    insert_or_ignore(rows, AuditEntry, [row])


def newest(session: Session, environment_id: str, action: str, subject: str) -> AuditEntry | None:
    query = select(AuditEntry).where(
        AuditEntry.environment_id == environment_id, AuditEntry.action == action, AuditEntry.subject == subject
    )
    return session.scalar(query.order_by(AuditEntry.at.desc()).limit(1))


def set_detail(session: Session, entry_id: str, detail: str) -> None:
    entry = session.get(AuditEntry, entry_id)
    if entry is not None:
        entry.detail = detail


def _values(
    entry_id: str, environment_id: str, at: datetime, actor: str, action: str, subject: str, detail: str
) -> dict[str, object]:
    return {
        "id": entry_id,
        "environment_id": environment_id,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
