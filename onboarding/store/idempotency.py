"""Responses to requests with an idempotency key, stored so that a repeated request gets the same response."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.database import Base, insert_or_ignore, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, SealedText, UtcTime


class Answer(Base):
    """A stored response. A row without a status is a claim: a process is handling the request."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("environment_id", "key", "method", "path"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    key: Mapped[str] = mapped_column(ID)
    method: Mapped[str] = mapped_column(String(10))
    #: A digest, because a path may be long.
    path: Mapped[str] = mapped_column(String(64))
    #: A keyed digest of body and query, because they may contain a token.
    body_fingerprint: Mapped[str] = mapped_column(String(64))
    #: Identifies the request that handles the key. It may store its response only while the row has its claim.
    claim: Mapped[str] = mapped_column(String(100))
    claimed_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    status: Mapped[int | None] = mapped_column(Integer)
    #: The response as JSON, without the token, which is stored with the connection only.
    body: Mapped[Sealed | None] = mapped_column(SealedText)
    #: The connection whose token is part of the response, or null.
    connection_id: Mapped[str | None] = mapped_column(Text)


_TABLE = table_of(Answer)


def claim(session: Session, values: Mapping[str, object]) -> bool:
    """Return whether this request created the row: of several, one does."""
    return insert_or_ignore(session, Answer, {**values, "status": None, "body": None, "connection_id": None})


def find(session: Session, environment_id: str, key: str, method: str, path: str) -> Answer | None:
    matching = Answer.environment_id == environment_id, Answer.key == key, Answer.method == method, Answer.path == path
    return session.scalar(select(Answer).where(*matching))


def take_over(session: Session, answer_id: str, old: str, values: Mapping[str, object]) -> bool:
    """Claim an expired row. Of several concurrent requests one succeeds. Return whether this one did."""
    done = session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == answer_id, _TABLE.c.claim == old)
        .values(**values, status=None, body=None, connection_id=None)
        .returning(_TABLE.c.id)
    )
    return done.first() is not None


def keep(rows: Rows, answer_id: str, claim_: str, values: Mapping[str, object]) -> bool:
    """Store the response: `status`, `body`, `connection_id`. Return False if another request has taken the claim."""
    done = rows.execute(
        update(_TABLE)
        .where(_TABLE.c.id == answer_id, _TABLE.c.claim == claim_, _TABLE.c.status.is_(None))
        .values(**values)
        .returning(_TABLE.c.id)
    )
    return done.first() is not None


def release(session: Session, answer_id: str, claim_: str) -> None:
    """Delete the claim, so that the client can retry at once."""
    session.execute(delete(_TABLE).where(_TABLE.c.id == answer_id, _TABLE.c.claim == claim_, _TABLE.c.status.is_(None)))
