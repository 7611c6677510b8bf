"""The Slack teams whose people sign in as viewers."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.operators import Operator
from onboarding.store.rows import Rows
from onboarding.store.types import UtcTime


class AllowedTeam(Base):
    """A Slack team whose people sign in as viewers."""

    __tablename__ = "allowed_teams"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


_TEAMS = table_of(AllowedTeam)


def allow_team(rows: Rows, team_id: str, at: datetime) -> bool:
    """Allow a team. Return whether it was not allowed before."""
    return insert_or_ignore(rows, AllowedTeam, {"team_id": team_id, "created_at": at})


def remove_team(session: Session, team_id: str) -> bool:
    """Stop allowing a team and delete the people who had access only through it. Return whether it was allowed."""
    # Waits for sign-ins of the team that are being stored, so that the next statement sees their people.
    row = delete(_TEAMS).where(_TEAMS.c.team_id == team_id)
    was_allowed = session.execute(row.returning(_TEAMS.c.team_id)).first() is not None
    session.execute(delete(Operator).where(Operator.slack_team_id == team_id, Operator.is_team_viewer))
    return was_allowed


def is_team_allowed(session: Session, team_id: str) -> bool:
    """Return whether the team is allowed, and keep it so until the transaction ends."""
    query = select(_TEAMS.c.team_id).where(_TEAMS.c.team_id == team_id)
    return session.scalar(query.with_for_update(read=True)) is not None


def teams(session: Session) -> Sequence[AllowedTeam]:
    return session.scalars(select(AllowedTeam).order_by(AllowedTeam.team_id)).all()
