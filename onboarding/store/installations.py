"""Installations: the tokens of one grant from Slack, or of the credentials that an API caller sent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.sealed import Sealed
from onboarding.store.database import Base, table_of
from onboarding.store.inserts import CompiledInsert
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, SealedText, UtcTime, columns_of


class Installation(Base):
    __tablename__ = "installations"
    __table_args__ = (
        UniqueConstraint("integration_id", "slack_key"),
        UniqueConstraint("integration_id", "refresh_fingerprint"),
        CheckConstraint("origin IN ('install', 'api')", name="origin"),
        Index("ix_installations_refresh_at", "refresh_at"),
        Index("ix_installations_check_at", "check_at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    #: `install`: granted by Slack to an install. `api`: sent by an API caller.
    origin: Mapped[str] = mapped_column(String(10), default="install")
    #: `enterprise:E…` for an organization, else `team:T…`; `api:` and the row's id for credentials sent by an API
    #: caller.
    slack_key: Mapped[str] = mapped_column(String(100))
    app_id: Mapped[str | None] = mapped_column(String(100))
    bot_user_id: Mapped[str | None] = mapped_column(String(100))
    #: The granted scopes, comma separated; fewer than requested if the person declined optional ones.
    scopes: Mapped[str] = mapped_column(Text)
    access_token: Mapped[Sealed] = mapped_column(SealedText)
    token_last_four: Mapped[str] = mapped_column(String(4))
    refresh_token: Mapped[Sealed | None] = mapped_column(SealedText)
    #: Null for a token that does not rotate.
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: A keyed digest of a refresh token that an API caller sent. It is single-use, so connections with the same one
    #: share this row.
    refresh_fingerprint: Mapped[str | None] = mapped_column(String(64))
    #: When a process began to refresh the token; null if none does.
    refresh_claimed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the product last refreshed the token; null if it never has.
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the worker refreshes the token, well before it expires; null if it does not rotate or cannot be refreshed.
    refresh_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When the worker asks Slack next whether the token works; null for a made-up token.
    check_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Since when Slack has not answered a check; null if it has answered the last one.
    unanswered_since: Mapped[datetime | None] = mapped_column(UtcTime)
    installer_id: Mapped[str | None] = mapped_column(String(100))
    #: When the current token was stored, by an install, an API caller or a refresh.
    token_since: Mapped[datetime] = mapped_column(UtcTime)


class LockedInstallation(NamedTuple):
    """The columns that an install needs of the installation that it renews."""

    id: str
    bot_user_id: str | None


class StoredRefreshToken(NamedTuple):
    """An installation's id and its refresh token."""

    id: str
    refresh_token: Sealed | None


_TABLE = table_of(Installation)
_INSERT = CompiledInsert(_TABLE)
#: Without `values()`, the SET clause consists of the other parameters.
_CHANGE = update(_TABLE).where(_TABLE.c.id == bindparam("installation"))
_LOCK_BY_SLACK_KEY = (
    select(*columns_of(_TABLE, LockedInstallation._fields))
    .where(_TABLE.c.integration_id == bindparam("integration"), _TABLE.c.slack_key == bindparam("slack_key"))
    .with_for_update(key_share=True)
)


def add(rows: Rows, **values: object) -> None:
    """Store the grant that Slack gave to an install. Raises IntegrityError if the workspace has an installation."""
    _INSERT.one(rows, values)


def add_sent(rows: Rows, **values: object) -> None:
    """Store credentials that an API caller sent."""
    _INSERT.one(rows, {"origin": "api", "scopes": "", **values})


def add_many(rows: Rows, new: Sequence[Mapping[str, object]]) -> None:
    """Store installations, each with all its values."""
    if new:
        _INSERT.all(rows, new)


def by_fingerprint(rows: Rows, integration_id: str, fingerprints: Sequence[str]) -> StoredRefreshToken | None:
    """Return the installation that got one of these refresh tokens. None without fingerprints."""
    if not fingerprints:
        return None
    query = select(_TABLE.c.id, _TABLE.c.refresh_token).where(
        _TABLE.c.integration_id == integration_id, _TABLE.c.refresh_fingerprint.in_(fingerprints)
    )
    return fetch_first(rows, query, StoredRefreshToken)


def renew_fingerprint(rows: Rows, installation_id: str, older: Sequence[str], newest: str) -> None:
    """Replace the digest of the refresh token if it is one of `older`."""
    matching = _TABLE.c.id == installation_id, _TABLE.c.refresh_fingerprint.in_(older)
    rows.execute(update(_TABLE).where(*matching).values(refresh_fingerprint=newest))


def change(rows: Rows, installation_id: str, **values: object) -> None:
    rows.execute(_CHANGE, {"installation": installation_id, **values})


def claim_refresh(session: Session, installation_id: str, at: datetime, stale: datetime) -> bool:
    """Claim the refresh of the token, and return whether this process has it now.

    A claim from before `stale` does not count: its process has died.
    """
    free = Installation.refresh_claimed_at.is_(None) | (Installation.refresh_claimed_at <= stale)
    done = session.execute(
        update(Installation)
        .where(Installation.id == installation_id, free)
        .values(refresh_claimed_at=at)
        .returning(Installation.id)
    )
    return done.first() is not None


def due(rows: Rows, column: str, at: datetime, limit: int) -> Sequence[str]:
    """Return the ids of the installations whose `refresh_at` or `check_at` has come, the most overdue first."""
    time = _TABLE.c[column]
    return rows.scalars(select(_TABLE.c.id).where(time <= at).order_by(time).limit(limit)).all()


def change_time(rows: Rows, installation_id: str, column: str, at: datetime) -> None:
    """Change `refresh_at` or `check_at`, unless it is null."""
    matching = _TABLE.c.id == installation_id, _TABLE.c[column].is_not(None)
    rows.execute(update(_TABLE).where(*matching).values({column: at}))


def release_refresh(rows: Rows, installation_id: str, claimed_at: datetime | None) -> None:
    """Release the claim of `claimed_at`, and no other."""
    matching = _TABLE.c.id == installation_id, _TABLE.c.refresh_claimed_at == claimed_at
    rows.execute(update(_TABLE).where(*matching).values(refresh_claimed_at=None))


def lock_by_slack_key(rows: Rows, integration_id: str, slack_key: str) -> LockedInstallation | None:
    """Lock and return the installation of a workspace or organization.

    Until the transaction ends, no other install of the same workspace completes, no verdict of Slack on its token is
    recorded, and nothing erases it.
    """
    values = {"integration": integration_id, "slack_key": slack_key}
    return fetch_first(rows, _LOCK_BY_SLACK_KEY, LockedInstallation, values)


def lock(session: Session, environment_id: str, installation_id: str) -> Installation | None:
    """Lock an installation as `lock_by_slack_key` does, before the connections that use it are changed.

    Returns it as it is now; None if it was erased.
    """
    query = select(Installation).where(
        Installation.environment_id == environment_id, Installation.id == installation_id
    )
    return session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True))


def lock_all(session: Session, installation_ids: Iterable[str]) -> None:
    """Lock installations in the order of their ids, so that they can be erased.

    Waits for transactions that attach a connection to one of them. A later statement sees that connection.
    """
    query = select(_TABLE.c.id).where(_TABLE.c.id.in_(list(installation_ids))).order_by(_TABLE.c.id)
    session.execute(query.with_for_update())


def by_id(session: Session, environment_id: str, installation_id: str) -> Installation | None:
    return session.scalar(
        select(Installation).where(Installation.environment_id == environment_id, Installation.id == installation_id)
    )
