"""Links: signed, expiring invitations to connect; an approval is one too."""

import json
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding.store.database import Base
from onboarding.store.types import ID, UtcTime


class Link(Base):
    __tablename__ = "links"
    __table_args__ = (CheckConstraint("kind IN ('invitation', 'open', 'approval', 'address')", name="kind"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    #: Whether the holder types subscriber and context freely; only a new identity can be made with it.
    is_open: Mapped[bool]
    #: Null leaves the mode to the person.
    mode: Mapped[str | None] = mapped_column(String(10))
    subscriber_id: Mapped[str | None] = mapped_column(ID)
    context_keys_json: Mapped[str] = mapped_column("context_keys", Text)
    offered_context_keys_json: Mapped[str] = mapped_column("offered_context_keys", Text)
    #: The link that an approval was handed on from: it ends with that one. Null for one that nobody handed on.
    parent_id: Mapped[str | None] = mapped_column(String(100), index=True)
    #: The workspace that must answer, if one is expected.
    workspace_id: Mapped[str | None] = mapped_column(String(100))
    #: What the connection shall be called, where a program said so and the name is still free.
    connection_identifier: Mapped[str | None] = mapped_column(ID)
    #: Scopes to ask for, comma separated; null asks for the integration's.
    scopes: Mapped[str | None] = mapped_column(Text)
    return_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When it first led to a connection, by which attempt, and to which connection's identity.
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_by_attempt: Mapped[str | None] = mapped_column(String(100))
    used_identity_key: Mapped[str | None] = mapped_column(String(64))

    @property
    def context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.context_keys_json))

    @property
    def offered_context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.offered_context_keys_json))


def add(session: Session, link: Link) -> None:
    session.add(link)
    session.flush()


def by_id(session: Session, link_id: str) -> Link | None:
    """The signature on the token has named the link; it knows its environment."""
    return session.get(Link, link_id)


def parent_of(session: Session, link: Link) -> Link | None:
    return session.get(Link, link.parent_id) if link.parent_id else None


def handed_on(session: Session, link_id: str, at: datetime) -> Link | None:
    """The approval that was made of this link, if it can still be used."""
    query = select(Link).where(Link.parent_id == link_id, Link.expires_at > at)
    return session.scalars(query.where(Link.revoked_at.is_(None), Link.used_at.is_(None)).limit(1)).first()


def mark_used(session: Session, link_id: str, attempt_id: str, identity_key: str, at: datetime) -> bool:
    """True for the one attempt that used it first."""
    done = session.execute(
        update(Link)
        .where(Link.id == link_id, Link.used_at.is_(None))
        .values(used_at=at, used_by_attempt=attempt_id, used_identity_key=identity_key)
        .returning(Link.id)
    )
    return done.first() is not None


def revoke(session: Session, link_id: str, at: datetime) -> bool:
    done = session.execute(
        update(Link).where(Link.id == link_id, Link.revoked_at.is_(None)).values(revoked_at=at).returning(Link.id)
    )
    return done.first() is not None


def remove_of_integration(session: Session, integration_id: str) -> None:
    session.execute(delete(Link).where(Link.integration_id == integration_id))
