"""Access that Slack has not revoked yet: a disconnected connection's, or a grant's that no connection uses."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, SealedText, UtcTime, columns_of


class Revocation(Base):
    """Access that has to be revoked. The row is deleted as soon as the result is known."""

    __tablename__ = "revocations"
    __table_args__ = (Index("ix_revocations_due_at", "due_at"),)

    #: The id of the attempt whose grant it is, or of the audit entry of the disconnect.
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    is_grant: Mapped[bool]
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: The workspace or organization that the access is for.
    workspace_id: Mapped[str] = mapped_column(String(100))
    #: The workspace's organization; null if it has none, or if it is not known.
    enterprise_id: Mapped[str | None] = mapped_column(String(100))
    #: The access token, and the refresh token of one that rotates; JSON.
    access: Mapped[Sealed] = mapped_column(SealedText)
    #: When the access token expires; null if it does not.
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: An API caller has named the workspace, and Slack has not.
    is_unconfirmed: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When to ask Slack next. A process postpones it before it asks, so that no other one asks at the same time.
    due_at: Mapped[datetime] = mapped_column(UtcTime)


class RevocationRow(NamedTuple):
    id: str
    is_grant: bool
    environment_id: str
    integration_id: str
    workspace_id: str
    enterprise_id: str | None
    access: Sealed
    expires_at: datetime | None
    is_unconfirmed: bool
    created_at: datetime


_TABLE = table_of(Revocation)


def add(rows: Rows, **values: object) -> None:
    """Add a revocation unless its id is known."""
    insert_or_ignore(rows, Revocation, values)


def due(rows: Rows, at: datetime, limit: int) -> Sequence[str]:
    """Return the ids of the revocations whose time has come, the most overdue first."""
    return rows.scalars(select(_TABLE.c.id).where(_TABLE.c.due_at <= at).order_by(_TABLE.c.due_at).limit(limit)).all()


def claim(rows: Rows, revocation_id: str, at: datetime, until: datetime) -> RevocationRow | None:
    """Postpone a due revocation and return it. None if another process has postponed it, or if it has ended."""
    matching = _TABLE.c.id == revocation_id, _TABLE.c.due_at <= at
    claimed = update(_TABLE).where(*matching).values(due_at=until)
    return fetch_first(rows, claimed.returning(*columns_of(_TABLE, RevocationRow._fields)), RevocationRow)


def change(rows: Rows, revocation_id: str, **values: object) -> None:
    rows.execute(update(_TABLE).where(_TABLE.c.id == revocation_id).values(values))


def remove(rows: Rows, revocation_id: str) -> bool:
    """Delete the revocation. Return False if another process has deleted it."""
    done = delete(_TABLE).where(_TABLE.c.id == revocation_id).returning(_TABLE.c.id)
    return rows.execute(done).first() is not None


def any_of(rows: Rows, integration_id: str) -> bool:
    """Return whether access of this integration has to be revoked."""
    return rows.scalar(select(_TABLE.c.id).where(_TABLE.c.integration_id == integration_id).limit(1)) is not None
