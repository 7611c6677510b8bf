"""Integrations: the credentials of one Slack app each."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Row,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.branding import Branding
from onboarding.sealed import Sealed
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID, SealedText, UtcTime, columns_of


class Integration(Base):
    __tablename__ = "integrations"
    __table_args__ = (
        UniqueConstraint("environment_id", "identifier"),
        CheckConstraint("workspace_policy IN ('allow', 'refuse')", name="workspace_policy"),
        # Operators belong to the whole deployment, so one Slack app signs them in.
        Index(
            "ix_integrations_is_sign_in",
            "is_sign_in",
            unique=True,
            sqlite_where=text("is_sign_in"),
            postgresql_where=text("is_sign_in"),
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    identifier: Mapped[str] = mapped_column(ID)
    #: The name of the Slack app's product, shown on pages.
    name: Mapped[str] = mapped_column(String(100))
    #: A Slack app has one bot token per workspace, so one client id belongs to one integration of the deployment.
    client_id: Mapped[str] = mapped_column(String(255), unique=True)
    client_secret: Mapped[Sealed] = mapped_column(SealedText)
    #: The secret before the last change, and the time of that change. Slack accepts it for a day.
    previous_client_secret: Mapped[Sealed | None] = mapped_column(SealedText)
    client_secret_changed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Null for an app whose events are not received.
    signing_secret: Mapped[Sealed | None] = mapped_column(SealedText)
    #: The one before it, which Slack may still use for a while; null without one.
    previous_signing_secret: Mapped[Sealed | None] = mapped_column(SealedText)
    #: When the signing secret was last replaced.
    signing_secret_changed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Where each event is delivered to as well; null for nowhere.
    forward_url: Mapped[str | None] = mapped_column(Text)
    #: Slack's id of the app; null until its first event.
    app_id: Mapped[str | None] = mapped_column(String(100))
    #: The bot scopes to request, comma separated.
    scopes: Mapped[str] = mapped_column(Text)
    is_practice: Mapped[bool]
    #: `allow` or `refuse` a workspace that is already connected for another customer.
    workspace_policy: Mapped[str] = mapped_column(String(10))
    #: Whether operators sign in with this Slack app.
    is_sign_in: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The look of its customers' pages. Null is the look of this product.
    accent_color: Mapped[str | None] = mapped_column(String(7))
    support_url: Mapped[str | None] = mapped_column(Text)
    privacy_url: Mapped[str | None] = mapped_column(Text)
    #: The picture is in the table `logos`.
    logo_digest: Mapped[str | None] = mapped_column(String(64))


class IntegrationWithoutSecrets(NamedTuple):
    id: str
    identifier: str
    name: str
    client_id: str
    scopes: str
    workspace_policy: str
    is_practice: bool
    is_sign_in: bool
    accent_color: str | None
    support_url: str | None
    privacy_url: str | None
    logo_digest: str | None
    client_secret_changed_at: datetime | None
    signing_secret_changed_at: datetime | None
    app_id: str | None
    forward_url: str | None
    has_signing_secret: bool
    has_previous_client_secret: bool
    has_previous_signing_secret: bool

    @property
    def branding(self) -> Branding:
        return Branding(self.name, self.accent_color, self.support_url, self.privacy_url, self.logo_digest)


class IntegrationRow(NamedTuple):
    """The columns of an integration that the install flow reads."""

    id: str
    environment_id: str
    identifier: str
    name: str
    client_id: str
    client_secret: Sealed
    previous_client_secret: Sealed | None
    client_secret_changed_at: datetime | None
    scopes: str
    is_practice: bool
    workspace_policy: str
    accent_color: str | None
    support_url: str | None
    privacy_url: str | None
    logo_digest: str | None

    @property
    def branding(self) -> Branding:
        return Branding(self.name, self.accent_color, self.support_url, self.privacy_url, self.logo_digest)


TABLE = table_of(Integration)
COLUMNS = columns_of(TABLE, IntegrationRow._fields)
#: An id that no integration has.
_NO_ID = "none"
#: Any integration with real credentials ends practice mode.
ANY_REAL = exists().where(TABLE.c.is_practice.is_(False))
_BY_IDENTIFIER = select(TABLE.c.id).where(
    TABLE.c.environment_id == bindparam("environment"), TABLE.c.identifier == bindparam("identifier_")
)
_WITHOUT_SECRETS = CompiledStatement(
    select(
        *(TABLE.c[name] for name in IntegrationWithoutSecrets._fields if name in TABLE.c),
        TABLE.c.signing_secret.is_not(None).label("has_signing_secret"),
        TABLE.c.previous_client_secret.is_not(None).label("has_previous_client_secret"),
        TABLE.c.previous_signing_secret.is_not(None).label("has_previous_signing_secret"),
    )
    .where(TABLE.c.environment_id == bindparam("environment"))
    .order_by(TABLE.c.identifier),
    IntegrationWithoutSecrets,
)


def add(session: Session, integration: Integration) -> None:
    session.add(integration)
    session.flush()


def by_identifier(session: Session, environment_id: str, identifier: str) -> Integration | None:
    return session.scalar(
        select(Integration).where(Integration.environment_id == environment_id, Integration.identifier == identifier)
    )


def id_of(rows: Rows, environment_id: str, identifier: str) -> str | None:
    found: str | None = rows.scalar(_BY_IDENTIFIER, {"environment": environment_id, "identifier_": identifier})
    return found


def filter_id(rows: Rows, environment_id: str, identifier: str | None) -> str | None:
    """Return the id by which a list is filtered; for an unknown integration, one that leaves the list empty."""
    return None if identifier is None else (id_of(rows, environment_id, identifier) or _NO_ID)


def by_id(session: Session, environment_id: str, integration_id: str) -> Integration | None:
    return session.scalar(
        select(Integration).where(Integration.environment_id == environment_id, Integration.id == integration_id)
    )


def by_client_id(session: Session, client_id: str) -> Integration | None:
    """Find the integration in any environment: a client id belongs to one only."""
    return session.scalar(select(Integration).where(Integration.client_id == client_id))


def erase_previous_secrets(session: Session, before: datetime) -> int:
    """Erase the secrets that were replaced before this time. Return how many."""
    count = 0
    for secret, changed_at in (
        ("previous_client_secret", TABLE.c.client_secret_changed_at),
        ("previous_signing_secret", TABLE.c.signing_secret_changed_at),
    ):
        replaced = TABLE.c[secret].is_not(None), changed_at <= before
        erased = session.execute(update(TABLE).where(*replaced).values({secret: None}).returning(TABLE.c.id))
        count += len(erased.all())
    return count


def all_practice(session: Session) -> Sequence[Integration]:
    """Return the practice integrations of all environments."""
    return session.scalars(select(Integration).where(Integration.is_practice)).all()


def all_without_secrets(rows: Rows, environment_id: str) -> list[IntegrationWithoutSecrets]:
    """Return the environment's integrations, sorted by identifier."""
    return _WITHOUT_SECRETS.all(rows, {"environment": environment_id})


def client_secrets(session: Session, limit: int, *, with_practice: bool) -> Sequence[Row[str, Sealed]]:
    """Return the ids and sealed client secrets of the newest integrations of all environments."""
    query = select(Integration.id, Integration.client_secret).order_by(Integration.created_at.desc()).limit(limit)
    return session.execute(query if with_practice else query.where(Integration.is_practice.is_(False))).all()


def any_real(session: Session) -> bool:
    """Return whether any environment has an integration with real credentials, which ends practice mode."""
    return bool(session.scalar(select(ANY_REAL)))
