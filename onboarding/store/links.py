"""Links: signed, expiring invitations to connect, install URLs for the API and approvals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding import ids
from onboarding.store.database import Base
from onboarding.store.integrations import Integration
from onboarding.store.types import ID, UtcTime


class LinkKind(StrEnum):
    INVITATION = "invitation"
    OPEN = "open"
    APPROVAL = "approval"
    INSTALL_URL = "address"


@dataclass(frozen=True)
class LinkTerms:
    """What a link fixes and offers. The defaults fix nothing."""

    is_open: bool = False
    mode: str | None = None
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    offered_context_keys: tuple[str, ...] = ()
    workspace_id: str | None = None
    connection_identifier: str | None = None
    #: Empty asks for the integration's scopes.
    scopes: tuple[str, ...] = ()
    return_url: str | None = None


class Link(Base):
    __tablename__ = "links"
    __table_args__ = (CheckConstraint("kind IN ('invitation', 'open', 'approval', 'address')", name="kind"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    #: Whether the holder enters subscriber and context freely; such a link connects only a new identity.
    is_open: Mapped[bool]
    #: Null leaves the mode to the person.
    mode: Mapped[str | None] = mapped_column(String(10))
    subscriber_id: Mapped[str | None] = mapped_column(ID)
    context_keys_json: Mapped[str] = mapped_column("context_keys", Text)
    offered_context_keys_json: Mapped[str] = mapped_column("offered_context_keys", Text)
    #: For an approval: the link it was created from. It is revoked and used together with that link.
    parent_id: Mapped[str | None] = mapped_column(ID, index=True)
    #: The workspace that must approve; null accepts any.
    workspace_id: Mapped[str | None] = mapped_column(String(100))
    #: The identifier that an API caller requested for a new connection; it applies if it is still free.
    connection_identifier: Mapped[str | None] = mapped_column(ID)
    #: Scopes to ask for, comma separated; null asks for the integration's.
    scopes: Mapped[str | None] = mapped_column(Text)
    return_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When it first led to a connection, by which attempt, and to which connection's identity.
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_by_attempt: Mapped[str | None] = mapped_column(ID)
    used_identity_key: Mapped[str | None] = mapped_column(String(64))

    @property
    def context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.context_keys_json))

    @property
    def offered_context_keys(self) -> tuple[str, ...]:
        return tuple(json.loads(self.offered_context_keys_json))

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            is_open=self.is_open,
            mode=self.mode,
            subscriber_id=self.subscriber_id,
            context_keys=self.context_keys,
            offered_context_keys=self.offered_context_keys,
            workspace_id=self.workspace_id,
            connection_identifier=self.connection_identifier,
            scopes=tuple(filter(None, (self.scopes or "").split(","))),
            return_url=self.return_url,
        )


def new_link(
    integration: Integration, kind: LinkKind, terms: LinkTerms, created_at: datetime, expires_at: datetime
) -> Link:
    """Build the row of a new link. `add` stores it; an approval sets `parent_id` first."""
    return Link(
        id=ids.new_id("lnk"),
        environment_id=integration.environment_id,
        integration_id=integration.id,
        kind=kind,
        is_open=terms.is_open,
        mode=terms.mode,
        subscriber_id=terms.subscriber_id,
        context_keys_json=json.dumps(terms.context_keys),
        offered_context_keys_json=json.dumps(terms.offered_context_keys),
        workspace_id=terms.workspace_id,
        connection_identifier=terms.connection_identifier,
        scopes=",".join(terms.scopes) or None,
        return_url=terms.return_url,
        created_at=created_at,
        expires_at=expires_at,
    )


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


def revoke(session: Session, link_id: str, at: datetime) -> str | None:
    """Return the environment's id. None if no link of this id could still be revoked."""
    row = update(Link).where(Link.id == link_id, Link.revoked_at.is_(None)).values(revoked_at=at)
    return session.scalar(row.returning(Link.environment_id))


def newest(session: Session, environment_id: str, limit: int) -> Sequence[tuple[Link, str]]:
    """Return the environment's newest links, without those of API callers, each with its integration's identifier."""
    query = select(Link, Integration.identifier).join(Integration, Integration.id == Link.integration_id)
    query = query.where(Link.environment_id == environment_id, Link.kind != LinkKind.INSTALL_URL)
    return [row._tuple() for row in session.execute(query.order_by(Link.created_at.desc(), Link.id).limit(limit))]
