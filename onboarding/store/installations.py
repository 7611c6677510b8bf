"""Installations: Slack's grant for one workspace or organisation, where its tokens live once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.database import Base
from onboarding.store.types import ID, SealedText, UtcTime


class Installation(Base):
    __tablename__ = "installations"
    __table_args__ = (UniqueConstraint("integration_id", "slack_key"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: `enterprise:E…` for an organisation's install, else `team:T…`.
    slack_key: Mapped[str] = mapped_column(String(100))
    app_id: Mapped[str | None] = mapped_column(String(100))
    bot_user_id: Mapped[str | None] = mapped_column(String(100))
    #: The scopes granted, comma separated; fewer than asked where the person declined optional ones.
    scopes: Mapped[str] = mapped_column(Text)
    access_token: Mapped[Sealed] = mapped_column(SealedText)
    token_last_four: Mapped[str] = mapped_column(String(4))
    refresh_token: Mapped[Sealed | None] = mapped_column(SealedText)
    #: Null for a token that does not rotate.
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    installer_id: Mapped[str | None] = mapped_column(String(100))
    installed_at: Mapped[datetime] = mapped_column(UtcTime)


def add(session: Session, installation: Installation) -> None:
    session.add(installation)
    session.flush()


def by_slack_key(session: Session, integration_id: str, slack_key: str) -> Installation | None:
    return session.scalar(
        select(Installation).where(Installation.integration_id == integration_id, Installation.slack_key == slack_key)
    )


def by_id(session: Session, environment_id: str, installation_id: str) -> Installation | None:
    return session.scalar(
        select(Installation).where(Installation.environment_id == environment_id, Installation.id == installation_id)
    )


def of_integration(session: Session, integration_id: str) -> Sequence[Installation]:
    return session.scalars(select(Installation).where(Installation.integration_id == integration_id)).all()


def remove(session: Session, installation_id: str) -> None:
    session.execute(delete(Installation).where(Installation.id == installation_id))
