"""Attempts: one walk through the install each."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.outcomes import GrantResult, Outcome
from onboarding.sealed import Sealed
from onboarding.store.database import Base
from onboarding.store.types import ID, SealedText, UtcTime, enum_by_value


class Stage(StrEnum):
    """How far an attempt is: made -> exchanging -> (waiting ->) finished."""

    MADE = "made"
    EXCHANGING = "exchanging"
    #: Slack's grant is stored, sealed, until the person has chosen.
    WAITING = "waiting"
    FINISHED = "finished"


class Attempt(Base):
    """One row of the table. A finished attempt's outcome never changes."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("stage IN ('made', 'exchanging', 'waiting', 'finished')", name="stage"),
        Index("ix_attempts_stage_expires_at", "stage", "expires_at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: Null when an operator started from the console.
    link_id: Mapped[str | None] = mapped_column(ForeignKey("links.id"), index=True)
    operator_id: Mapped[str | None] = mapped_column(String(320))
    #: SHA-256 of the state and of the browser's secret: neither is stored.
    state_digest: Mapped[str] = mapped_column(String(64), unique=True)
    binding_digest: Mapped[str] = mapped_column(String(64))
    redirect_uri: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str] = mapped_column(Text)
    expected_workspace_id: Mapped[str | None] = mapped_column(String(100))
    expected_workspace_name: Mapped[str | None] = mapped_column(String(255))
    #: The person said beforehand that another workspace may take the place of the one connected.
    may_replace: Mapped[bool]
    stage: Mapped[Stage] = mapped_column(enum_by_value(Stage, 20))
    outcome: Mapped[Outcome | None] = mapped_column(enum_by_value(Outcome, 40))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Of the state while made, of the sealed grant while waiting.
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    exchanging_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Slack's grant, sealed, while the person still has to choose.
    waiting_grant: Mapped[Sealed | None] = mapped_column(SealedText)
    #: What the person chose before a question came up (another workspace); JSON.
    choice: Mapped[str | None] = mapped_column(Text)
    workspace_id: Mapped[str | None] = mapped_column(String(100))
    workspace_name: Mapped[str | None] = mapped_column(String(255))
    connection_identifier: Mapped[str | None] = mapped_column(ID)
    identity_key: Mapped[str | None] = mapped_column(String(64))
    #: Scopes asked for and not granted, comma separated.
    missing_scopes: Mapped[str | None] = mapped_column(Text)
    #: Slack's error code, or a sentence about its response: for operators.
    detail: Mapped[str | None] = mapped_column(Text)
    grant_result: Mapped[GrantResult | None] = mapped_column(enum_by_value(GrantResult, 20))
    retry_after_seconds: Mapped[int | None] = mapped_column(Integer)
    approval_link_id: Mapped[str | None] = mapped_column(ID)


def add(session: Session, attempt: Attempt) -> None:
    session.add(attempt)
    session.flush()


def by_state(session: Session, state_digest: str) -> Attempt | None:
    return session.scalar(select(Attempt).where(Attempt.state_digest == state_digest))


def by_id(session: Session, attempt_id: str) -> Attempt | None:
    return session.get(Attempt, attempt_id)


def by_id_prefix(session: Session, prefix: str) -> Attempt | None:
    """Return the newest attempt whose id begins like this."""
    query = select(Attempt).where(Attempt.id.startswith(prefix, autoescape=True))
    return session.scalars(query.order_by(Attempt.created_at.desc()).limit(1)).first()


def move(session: Session, attempt_id: str, stage: Stage, /, **values: Any) -> bool:
    """Takes the attempt out of `stage` with one conditional UPDATE: true for the one caller whose it is."""
    done = session.execute(
        update(Attempt).where(Attempt.id == attempt_id, Attempt.stage == stage).values(**values).returning(Attempt.id)
    )
    return done.first() is not None


def set_grant_result(session: Session, attempt_id: str, result: GrantResult) -> None:
    session.execute(update(Attempt).where(Attempt.id == attempt_id).values(grant_result=result))


def waits_in(session: Session, integration_id: str, workspace_id: str) -> bool:
    """Whether a grant of this workspace waits for its person."""
    query = select(Attempt.id).where(Attempt.integration_id == integration_id, Attempt.stage == Stage.WAITING)
    return session.scalar(query.where(Attempt.workspace_id == workspace_id).limit(1)) is not None


def overdue(session: Session, stage: Stage, at: datetime, limit: int) -> Sequence[Attempt]:
    query = select(Attempt).where(Attempt.stage == stage, Attempt.expires_at <= at)
    return session.scalars(query.order_by(Attempt.expires_at).limit(limit)).all()


def stuck(session: Session, since: datetime, limit: int) -> Sequence[Attempt]:
    """Those whose process was asking Slack at `since` and has not come back."""
    query = select(Attempt).where(Attempt.stage == Stage.EXCHANGING, Attempt.exchanging_at <= since)
    return session.scalars(query.limit(limit)).all()


def are_under_way(session: Session, integration_id: str) -> bool:
    """Whether Slack is being asked for a grant, or one waits for its person."""
    query = select(Attempt.id).where(Attempt.integration_id == integration_id)
    return session.scalar(query.where(Attempt.stage.in_((Stage.EXCHANGING, Stage.WAITING))).limit(1)) is not None
