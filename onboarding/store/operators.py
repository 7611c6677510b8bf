"""Operators: the users of the console."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


class Operator(Base):
    __tablename__ = "operators"
    __table_args__ = (
        CheckConstraint("role IN ('operator', 'viewer')", name="role"),
        CheckConstraint(
            "(slack_team_id IS NULL) = (slack_user_id IS NULL) AND (email IS NOT NULL OR slack_user_id IS NOT NULL)",
            name="person",
        ),
        UniqueConstraint("slack_team_id", "slack_user_id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: The address that the person was invited by; null for a person who signs in with Slack only.
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    #: The person in Slack: a user id is unique within its team only. Null for a person with one-time links only.
    slack_team_id: Mapped[str | None] = mapped_column(String(40))
    slack_user_id: Mapped[str | None] = mapped_column(String(40))
    #: The name that Slack sent at the last sign-in, for display. Anyone can change their own name in Slack.
    slack_name: Mapped[str | None] = mapped_column(String(200))
    #: Whether the person may sign in only because the whole team is allowed.
    is_team_viewer: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def label(self) -> str:
        """Return the name of this person in commands and audit entries: the email address, or team id and user id."""
        return self.email or f"{self.slack_team_id}/{self.slack_user_id}"


TABLE = table_of(Operator)


#: The label of a person, as `Operator.label` returns it.
LABEL = func.coalesce(TABLE.c.email, TABLE.c.slack_team_id + "/" + TABLE.c.slack_user_id)


def _is_labeled(label: str) -> ColumnElement[bool]:
    """Return the condition for the person of a label: an email address, or a team id and a user id around a slash."""
    team_id, slash, user_id = label.partition("/")
    if "@" in label or not slash:
        return TABLE.c.email == label
    return (TABLE.c.slack_team_id == team_id) & (TABLE.c.slack_user_id == user_id)


def may_change(rows: Rows, label: str) -> bool:
    """Return whether a person with this label has the role `operator`."""
    query = select(TABLE.c.id).where(_is_labeled(label), TABLE.c.role == "operator")
    return rows.scalar(query, {}) is not None


def by_label(session: Session, label: str) -> Operator | None:
    """Find a person by email address, or by `team id/user id`."""
    return session.scalar(select(Operator).where(_is_labeled(label)))


def by_slack(session: Session, team_id: str, user_id: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.slack_team_id == team_id, Operator.slack_user_id == user_id))


def by_id(session: Session, operator_id: str) -> Operator | None:
    return session.get(Operator, operator_id)


def all_of(session: Session) -> Sequence[Operator]:
    """Return everyone, sorted by email address; people who have none follow, sorted by team and user."""
    order = (Operator.email.is_(None), Operator.email, Operator.slack_team_id, Operator.slack_user_id)
    return session.scalars(select(Operator).order_by(*order)).all()


def remove(session: Session, operator_id: str) -> None:
    """Delete the operator. The foreign key cascades to sign-in links and sessions."""
    session.execute(delete(Operator).where(Operator.id == operator_id))


def add(session: Session, row: Operator) -> None:
    session.add(row)
    session.flush()
