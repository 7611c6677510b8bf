"""Operators, the users of the console, with their one-time sign-in links and sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, String, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


class Operator(Base):
    __tablename__ = "operators"
    __table_args__ = (CheckConstraint("role IN ('operator', 'viewer')", name="role"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


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


class SignedIn(NamedTuple):
    """The operator of a session, and when the session expires and ended."""

    id: str
    email: str
    role: str
    expires_at: datetime
    ended_at: datetime | None


_OPERATORS, _SIGN_INS = table_of(Operator), table_of(SignIn)
_SIGNED_IN = CompiledStatement(
    select(_OPERATORS.c.id, _OPERATORS.c.email, _OPERATORS.c.role, _SIGN_INS.c.expires_at, _SIGN_INS.c.ended_at)
    .join_from(_SIGN_INS, _OPERATORS, _SIGN_INS.c.operator_id == _OPERATORS.c.id)
    .where(_SIGN_INS.c.kind == "session", _SIGN_INS.c.digest == bindparam("digest_")),
    SignedIn,
)
_MAY_CHANGE = select(_OPERATORS.c.id).where(_OPERATORS.c.email == bindparam("email_"), _OPERATORS.c.role == "operator")


def may_change(rows: Rows, email: str) -> bool:
    """Return whether this is the email of an operator who is no viewer."""
    return rows.scalar(_MAY_CHANGE, {"email_": email}) is not None


def by_email(session: Session, email: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.email == email))


def by_id(session: Session, operator_id: str) -> Operator | None:
    return session.get(Operator, operator_id)


def all_of(session: Session) -> Sequence[Operator]:
    return session.scalars(select(Operator).order_by(Operator.email)).all()


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
