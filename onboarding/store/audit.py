"""The audit: who did what, when. Never a secret."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base
from onboarding.store.types import ID, UtcTime


class AuditEntry(Base):
    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject", "environment_id", "subject", "at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    #: `operator:<email>`, `link:<id>`, `system`.
    actor: Mapped[str] = mapped_column(String(400))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(ID)
    detail: Mapped[str] = mapped_column(Text)


def add(session: Session, entry: AuditEntry) -> None:
    session.add(entry)
    session.flush()


def newest(session: Session, environment_id: str, action: str, subject: str) -> AuditEntry | None:
    query = select(AuditEntry).where(
        AuditEntry.environment_id == environment_id, AuditEntry.action == action, AuditEntry.subject == subject
    )
    return session.scalar(query.order_by(AuditEntry.at.desc()).limit(1))


def set_detail(session: Session, entry_id: str, detail: str) -> None:
    entry = session.get(AuditEntry, entry_id)
    if entry is not None:
        entry.detail = detail
