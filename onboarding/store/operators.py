"""Operators, the users of the console, with their one-time sign-in links and sessions, and the Slack teams of viewers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    String,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding import ids
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


def digest_of(token: str) -> str:
    """Return the digest under which a token or a state is stored."""
    return sha256(token.encode(errors="replace")).hexdigest()


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
    #: Whether the person gets in because the whole team is allowed, and leaves with it.
    is_team_viewer: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def label(self) -> str:
        """The email address, or team id and user id: the name of this person in commands and audit entries."""
        return self.email or f"{self.slack_team_id}/{self.slack_user_id}"


class SignIn(Base):
    """A one-time link (`kind` link) or the session that it became (`kind` session)."""

    __tablename__ = "sign_ins"
    __table_args__ = (CheckConstraint("kind IN ('link', 'session')", name="kind"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    #: The SHA-256 digest of the token. The token is not stored.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When the link was used or the session closed; null while it is valid.
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Whether the practice Slack vouched for the person. Such a session works in practice mode only.
    is_practice: Mapped[bool] = mapped_column(default=False)

    @classmethod
    def of_token(cls, kind: str, operator_id: str, token: str, at: datetime, lifetime: timedelta) -> "SignIn":
        """Return a new row for a token of this kind."""
        return cls(
            id=ids.new_id("sgn"),
            operator_id=operator_id,
            kind=kind,
            digest=digest_of(token),
            created_at=at,
            expires_at=at + lifetime,
        )


class AllowedTeam(Base):
    """A Slack team whose people sign in as viewers."""

    __tablename__ = "allowed_teams"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class SignInState(Base):
    """A `state` of Sign in with Slack that was used, so that no browser can use it again."""

    __tablename__ = "sign_in_states"

    #: The SHA-256 digest of the state.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class SignedIn(NamedTuple):
    """The operator of a session, and when the session expires and ended."""

    id: str
    email: str | None
    slack_team_id: str | None
    slack_user_id: str | None
    slack_name: str | None
    role: str
    expires_at: datetime
    ended_at: datetime | None
    is_practice: bool


_OPERATORS, _SIGN_INS, _TEAMS = table_of(Operator), table_of(SignIn), table_of(AllowedTeam)
_SIGNED_IN = CompiledStatement(
    select(
        *(_OPERATORS.c[name] for name in SignedIn._fields[:6]), *(_SIGN_INS.c[name] for name in SignedIn._fields[6:])
    )
    .join_from(_SIGN_INS, _OPERATORS, _SIGN_INS.c.operator_id == _OPERATORS.c.id)
    .where(_SIGN_INS.c.kind == "session", _SIGN_INS.c.digest == bindparam("digest_")),
    SignedIn,
)


def _is_labeled(label: str) -> ColumnElement[bool]:
    """Return the condition for the person of a label: an email address, or a team id and a user id around a slash."""
    team_id, slash, user_id = label.partition("/")
    if "@" in label or not slash:
        return _OPERATORS.c.email == label
    return (_OPERATORS.c.slack_team_id == team_id) & (_OPERATORS.c.slack_user_id == user_id)


def may_change(rows: Rows, label: str) -> bool:
    """Return whether this is the label of an operator who is no viewer."""
    query = select(_OPERATORS.c.id).where(_is_labeled(label), _OPERATORS.c.role == "operator")
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


def add(session: Session, row: Operator | SignIn) -> None:
    session.add(row)
    session.flush()


def find_sign_in(session: Session, kind: str, digest: str) -> SignIn | None:
    return session.scalar(select(SignIn).where(SignIn.kind == kind, SignIn.digest == digest))


def signed_in(rows: Rows, digest: str) -> SignedIn | None:
    """Return the session with this digest, expired and ended ones included."""
    return _SIGNED_IN.first(rows, {"digest_": digest})


def end_sign_in(session: Session, sign_in_id: str, at: datetime) -> bool:
    """Mark the link as used, or the session as closed. Of several concurrent calls, one returns True."""
    done = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
        .values(ended_at=at)
        .returning(SignIn.id)
    )
    return done.first() is not None


def end_sessions(session: Session, operator_id: str, at: datetime) -> int:
    """Close the open sessions and the unused sign-in links of a person. Return how many there were."""
    done = session.execute(
        update(SignIn)
        .where(SignIn.operator_id == operator_id, SignIn.ended_at.is_(None), SignIn.expires_at > at)
        .values(ended_at=at)
        .returning(SignIn.id)
    )
    return len(done.all())


def session_times(session: Session, at: datetime) -> dict[str, tuple[datetime, int]]:
    """Return for each person the start of the newest session, and how many sessions are open at `at`."""
    is_open = SignIn.ended_at.is_(None) & (SignIn.expires_at > at)
    query = select(SignIn.operator_id, func.max(SignIn.created_at), func.count().filter(is_open))
    found = session.execute(query.where(SignIn.kind == "session").group_by(SignIn.operator_id))
    return {operator_id: (newest, count) for operator_id, newest, count in found}


def allow_team(rows: Rows, team_id: str, at: datetime) -> bool:
    """Return whether the team was not allowed before."""
    return insert_or_ignore(rows, AllowedTeam, {"team_id": team_id, "created_at": at})


def remove_team(session: Session, team_id: str) -> bool:
    """Stop allowing a team and delete the people who got in with it alone. Return whether it was allowed."""
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


def use_state(rows: Rows, digest: str, at: datetime) -> bool:
    """Mark the state as used. Of several calls with one state, the first returns True."""
    return insert_or_ignore(rows, SignInState, {"digest": digest, "used_at": at})
