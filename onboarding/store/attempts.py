"""Attempts: one row for each install that a person starts."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.outcomes import GrantResult, Outcome
from onboarding.sealed import Sealed
from onboarding.store.database import Base, table_of
from onboarding.store.inserts import CompiledInsert
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, SealedText, UtcTime, columns_of, enum_by_value


class Stage(StrEnum):
    """The progress of an attempt: created -> exchanging -> (waiting ->) finished."""

    #: The person was sent to Slack and has not come back.
    CREATED = "made"
    EXCHANGING = "exchanging"
    #: Slack's grant is stored, sealed, until the person has chosen.
    WAITING = "waiting"
    FINISHED = "finished"


class Attempt(Base):
    """The table. A finished attempt's outcome never changes."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("stage IN ('made', 'exchanging', 'waiting', 'finished')", name="stage"),
        Index("ix_attempts_stage_expires_at", "stage", "expires_at"),
        Index("ix_attempts_link_id_exchanging_at", "link_id", "exchanging_at"),
        Index("ix_attempts_environment_id_created_at", "environment_id", "created_at", "id"),
        Index("ix_attempts_connection_identifier", "environment_id", "connection_identifier", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: Null when an operator started from the console.
    link_id: Mapped[str | None] = mapped_column(ForeignKey("links.id"))
    #: The operator who started from the console. Null with a link.
    operator_label: Mapped[str | None] = mapped_column(String(320))
    #: SHA-256 digests of the state and of the browser's secret; neither is stored.
    state_digest: Mapped[str] = mapped_column(String(64), unique=True)
    binding_digest: Mapped[str] = mapped_column(String(64))
    redirect_uri: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str] = mapped_column(Text)
    expected_workspace_id: Mapped[str | None] = mapped_column(String(100))
    expected_workspace_name: Mapped[str | None] = mapped_column(String(255))
    #: The person has said that another workspace may replace the connected one.
    may_replace: Mapped[bool]
    stage: Mapped[Stage] = mapped_column(enum_by_value(Stage, 20))
    outcome: Mapped[Outcome | None] = mapped_column(enum_by_value(Outcome, 40))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When the browser was redirected to Slack. Null for an attempt that asks an admin first.
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When Slack's redirect brought the browser back, with a code or an error.
    returned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the state expires, or in the stage `waiting` the sealed grant.
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    exchanging_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Slack's grant, sealed, while the person still has to choose.
    waiting_grant: Mapped[Sealed | None] = mapped_column(SealedText)
    #: The person's choice from before they were asked whether to use another workspace; JSON.
    choice: Mapped[str | None] = mapped_column(Text)
    workspace_id: Mapped[str | None] = mapped_column(String(100))
    workspace_name: Mapped[str | None] = mapped_column(String(255))
    connection_identifier: Mapped[str | None] = mapped_column(ID)
    identity_key: Mapped[str | None] = mapped_column(String(64))
    #: Scopes that were requested and not granted, comma separated.
    missing_scopes: Mapped[str | None] = mapped_column(Text)
    #: Slack's error code, or a sentence about its response: for operators.
    detail: Mapped[str | None] = mapped_column(Text)
    grant_result: Mapped[GrantResult | None] = mapped_column(enum_by_value(GrantResult, 20))
    retry_after_seconds: Mapped[int | None] = mapped_column(Integer)
    approval_link_id: Mapped[str | None] = mapped_column(ID)


class AttemptRow(NamedTuple):
    """The columns of an attempt that the install flow reads."""

    id: str
    environment_id: str
    integration_id: str
    link_id: str | None
    operator_label: str | None
    binding_digest: str
    redirect_uri: str
    scopes: str
    expected_workspace_id: str | None
    expected_workspace_name: str | None
    may_replace: bool
    stage: Stage
    outcome: Outcome | None
    created_at: datetime
    expires_at: datetime
    exchanging_at: datetime | None
    waiting_grant: Sealed | None
    choice: str | None
    workspace_id: str | None
    workspace_name: str | None
    connection_identifier: str | None
    missing_scopes: str | None
    detail: str | None
    grant_result: GrantResult | None
    retry_after_seconds: int | None
    approval_link_id: str | None
    finished_at: datetime | None


#: Sorts after every character of an id.
_AFTER_LETTERS = "~"
TABLE = table_of(Attempt)
COLUMNS = columns_of(TABLE, AttemptRow._fields)
_INSERT = CompiledInsert(TABLE)
SELECT = select(*COLUMNS)
_BY_ID = SELECT.where(TABLE.c.id == bindparam("attempt"))
#: Without `values()`, the SET clause consists of the other parameters.
_MOVE = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("attempt"), TABLE.c.stage == bindparam("from_stage"))
    .returning(TABLE.c.id)
)
_SET = update(TABLE).where(TABLE.c.id == bindparam("attempt"))


def add(rows: Rows, **values: object) -> None:
    _INSERT.one(rows, values)


def by_id(rows: Rows, attempt_id: str) -> AttemptRow | None:
    return fetch_first(rows, _BY_ID, AttemptRow, {"attempt": attempt_id})


def by_state(session: Session, environment_id: str, state_digest: str) -> Attempt | None:
    """Return the attempt of a state's digest, if it belongs to the environment."""
    matching = Attempt.state_digest == state_digest, Attempt.environment_id == environment_id
    return session.scalar(select(Attempt).where(*matching))


def by_id_prefix(session: Session, prefix: str, environment_id: str | None = None) -> Attempt | None:
    """Return the newest attempt whose id begins like this, in the environment or in any."""
    # A range and not LIKE, which SQLite does not look up in the index.
    query = select(Attempt).where(Attempt.id >= prefix, Attempt.id < prefix + _AFTER_LETTERS)
    if environment_id is not None:
        query = query.where(Attempt.environment_id == environment_id)
    return session.scalars(query.order_by(Attempt.created_at.desc()).limit(1)).first()


def move(rows: Rows, attempt_id: str, stage: Stage, /, **values: object) -> bool:
    """Change an attempt that is in `stage`. Of concurrent callers that leave the stage, one gets True."""
    return rows.execute(_MOVE, {"attempt": attempt_id, "from_stage": stage, **values}).first() is not None


def set_grant_result(rows: Rows, attempt_id: str, result: GrantResult) -> None:
    """Store the result of revoking the grant, and erase the grant."""
    rows.execute(_SET, {"attempt": attempt_id, "grant_result": result, "waiting_grant": None})
