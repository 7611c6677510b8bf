"""Environments: separate sets of keys, integrations and connections."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.errors import unknown_environment
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, UtcTime


class Environment(Base):
    __tablename__ = "environments"
    __table_args__ = (CheckConstraint("unknown_subscribers IN ('create', 'refuse')", name="unknown_subscribers"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    #: The response to a request that names an unknown subscriber: `create` creates it, `refuse` answers 404.
    unknown_subscribers: Mapped[str] = mapped_column(String(10), default="create")
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class EnvironmentRow(NamedTuple):
    id: str
    name: str
    unknown_subscribers: str


_TABLE = table_of(Environment)
_ALL = CompiledStatement(
    select(*(_TABLE.c[name] for name in EnvironmentRow._fields)).order_by(_TABLE.c.created_at, _TABLE.c.id),
    EnvironmentRow,
)


def add(session: Session, environment: Environment) -> None:
    session.add(environment)
    session.flush()


def by_name(session: Session, name: str) -> Environment | None:
    return session.scalar(select(Environment).where(Environment.name == name))


def named(session: Session, name: str) -> Environment:
    """Return the environment with this name. Raises NotFound."""
    found = by_name(session, name)
    if found is None:
        raise unknown_environment(name)
    return found


def by_id(session: Session, environment_id: str) -> Environment | None:
    return session.get(Environment, environment_id)


def lock(rows: Rows, environment_id: str) -> None:
    """Let one transaction at a time add objects whose number per environment is limited. SQLite has one writer anyway.

    Rows that refer to the environment can be added at the same time.
    """
    rows.execute(select(Environment.id).where(Environment.id == environment_id).with_for_update(key_share=True))


def first(session: Session) -> Environment | None:
    """Return the oldest environment."""
    return session.scalar(select(Environment).order_by(Environment.created_at, Environment.id).limit(1))


def all_of(rows: Rows) -> list[EnvironmentRow]:
    """Return all environments, the oldest first."""
    return _ALL.all(rows, {})
