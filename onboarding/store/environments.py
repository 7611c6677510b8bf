"""Environments: worlds of integrations and connections that never mix."""

from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base
from onboarding.store.types import ID, UtcTime


class Environment(Base):
    __tablename__ = "environments"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


def add(session: Session, environment: Environment) -> None:
    session.add(environment)
    session.flush()


def by_name(session: Session, name: str) -> Environment | None:
    return session.scalar(select(Environment).where(Environment.name == name))


def first(session: Session) -> Environment | None:
    return session.scalar(select(Environment).order_by(Environment.created_at, Environment.id).limit(1))
