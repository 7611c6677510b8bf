"""API keys, stored as digests. A key is shown once and not stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.environments import Environment
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


class ApiKey(Base):
    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    name: Mapped[str] = mapped_column(String(100))
    #: SHA-256. A key has 256 random bits, so a slow password hash would add no security and cost 44 ms per request.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: The first characters, by which an operator recognizes the key.
    beginning: Mapped[str] = mapped_column(String(20))
    #: Comma separated.
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Null if the key does not expire.
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Updated every few minutes, not on each request.
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)


class KeyOfRequest(NamedTuple):
    """A key and its environment, as each API request needs them."""

    id: str
    environment_id: str
    scopes: str
    expires_at: datetime | None
    revoked_at: datetime | None
    environment_name: str
    unknown_subscribers: str


_KEYS, _ENVIRONMENTS = table_of(ApiKey), table_of(Environment)
_BY_DIGEST = CompiledStatement(
    select(
        _KEYS.c.id,
        _KEYS.c.environment_id,
        _KEYS.c.scopes,
        _KEYS.c.expires_at,
        _KEYS.c.revoked_at,
        _ENVIRONMENTS.c.name.label("environment_name"),
        _ENVIRONMENTS.c.unknown_subscribers,
    )
    .join_from(_KEYS, _ENVIRONMENTS, _KEYS.c.environment_id == _ENVIRONMENTS.c.id)
    .where(_KEYS.c.digest == bindparam("digest_")),
    KeyOfRequest,
)


def add(session: Session, key: ApiKey) -> None:
    session.add(key)
    session.flush()


def by_digest(rows: Rows, digest: str) -> KeyOfRequest | None:
    return _BY_DIGEST.first(rows, {"digest_": digest})


def all_of(session: Session, environment_id: str) -> Sequence[ApiKey]:
    query = select(ApiKey).where(ApiKey.environment_id == environment_id)
    return session.scalars(query.order_by(ApiKey.created_at, ApiKey.id)).all()


def note_use(session: Session, key_id: str, at: datetime) -> None:
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at))


def revoke(session: Session, environment_id: str, name: str, at: datetime) -> Sequence[str]:
    """Revoke the keys of this name. Return the ids of those that were not revoked before."""
    done = session.execute(
        update(ApiKey)
        .where(ApiKey.environment_id == environment_id, ApiKey.name == name, ApiKey.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(ApiKey.id)
    )
    return done.scalars().all()
