"""One-time sign-in links, the sessions that they became, and the used states of Sign in with Slack."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, String, bindparam, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding import ids
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.operators import LABEL, TABLE
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


def digest_of(token: str) -> str:
    """Return the digest under which a token or a state is stored."""
    return sha256(token.encode(errors="replace")).hexdigest()


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
    #: Whether the practice Slack identified the person. Such a session works in practice mode only.
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


class SignInState(Base):
    """A `state` of Sign in with Slack that was used, so that no browser can use it again."""

    __tablename__ = "sign_in_states"

    #: The SHA-256 digest of the state.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class SignedIn(NamedTuple):
    """The operator of a session, and when the session expires and ended."""

    id: str
    label: str
    slack_name: str | None
    role: str
    expires_at: datetime
    ended_at: datetime | None
    is_practice: bool


_SIGN_INS = table_of(SignIn)
_SIGNED_IN = CompiledStatement(
    select(
        *(TABLE.c.id, LABEL.label("label"), TABLE.c.slack_name, TABLE.c.role),
        *(_SIGN_INS.c.expires_at, _SIGN_INS.c.ended_at, _SIGN_INS.c.is_practice),
    )
    .join_from(_SIGN_INS, TABLE, _SIGN_INS.c.operator_id == TABLE.c.id)
    .where(_SIGN_INS.c.kind == "session", _SIGN_INS.c.digest == bindparam("digest_")),
    SignedIn,
)


def add(session: Session, row: SignIn) -> None:
    session.add(row)
    session.flush()


def find(session: Session, kind: str, digest: str) -> SignIn | None:
    return session.scalar(select(SignIn).where(SignIn.kind == kind, SignIn.digest == digest))


def signed_in(rows: Rows, digest: str) -> SignedIn | None:
    """Return the session with this digest, expired and ended ones included."""
    return _SIGNED_IN.first(rows, {"digest_": digest})


def end(session: Session, sign_in_id: str, at: datetime) -> bool:
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


def use_state(rows: Rows, digest: str, at: datetime) -> bool:
    """Mark the state as used. Of several calls with one state, the first returns True."""
    return insert_or_ignore(rows, SignInState, {"digest": digest, "used_at": at})
