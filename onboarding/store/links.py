"""Links: signed, expiring addresses to connect at. Connect sessions, install URLs and approvals are links as well."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, bindparam, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from onboarding import ids
from onboarding.identity import OfferedContext, may_have_subscriber
from onboarding.lifetimes import OPEN_LINK_LIFETIME
from onboarding.store.database import Base, table_of
from onboarding.store.inserts import CompiledInsert, NewRows
from onboarding.store.integrations import Integration, IntegrationRow
from onboarding.store.link_integrations import LinkedIntegration
from onboarding.store.link_terms import LinkKind, LinkTerms
from onboarding.store.rows import Rows, fetch_first
from onboarding.store.types import ID, OfferedContexts, TextTuple, UtcTime, columns_of


class Link(Base):
    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint("kind IN ('invitation', 'open', 'approval', 'address', 'session')", name="kind"),
        Index("ix_links_environment_id_identity_key", "environment_id", "identity_key"),
        Index("ix_links_kind_expires_at", "kind", "expires_at"),
        # Without the links of API callers, which may be many.
        Index(
            "ix_links_listed",
            "environment_id",
            "created_at",
            "id",
            sqlite_where=text("kind NOT IN ('address', 'session')"),
            postgresql_where=text("kind NOT IN ('address', 'session')"),
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    #: Whether the holder enters subscriber and context freely; such a link connects only a new identity.
    is_open: Mapped[bool]
    #: Null leaves the mode to the person.
    mode: Mapped[str | None] = mapped_column(String(10))
    subscriber_id: Mapped[str | None] = mapped_column(ID)
    context_keys: Mapped[tuple[str, ...]] = mapped_column(TextTuple)
    offered_contexts: Mapped[tuple[OfferedContext, ...]] = mapped_column(OfferedContexts)
    #: The only identity that it can lead to; null if a choice is open.
    identity_key: Mapped[str | None] = mapped_column(String(64))
    #: For an approval: the link it was created from. It is revoked and used together with that link.
    parent_id: Mapped[str | None] = mapped_column(ID, index=True)
    #: The label of the operator who created it in the console; it ends when that operator loses the right to make
    #: changes. Null if it depends on no operator.
    operator_label: Mapped[str | None] = mapped_column(String(320))
    #: The expected workspace; null accepts any.
    workspace_id: Mapped[str | None] = mapped_column(String(100))
    #: The identifier that an API caller requested for a new connection; it applies if it is still free.
    connection_identifier: Mapped[str | None] = mapped_column(ID)
    #: Scopes to ask for, comma separated; null asks for the integration's.
    scopes: Mapped[str | None] = mapped_column(Text)
    return_url: Mapped[str | None] = mapped_column(Text)
    #: Where the person gets a new link.
    refresh_url: Mapped[str | None] = mapped_column(Text)
    #: The caller's own text.
    reference: Mapped[str | None] = mapped_column(String(100))
    #: The Slack user who installs is the subscriber, and gets a channel endpoint.
    auto_link_user: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When it first led to a connection, by which attempt, and to which connection's identity.
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_by_attempt: Mapped[str | None] = mapped_column(ID)
    used_identity_key: Mapped[str | None] = mapped_column(String(64))


class LinkRow(NamedTuple):
    """All columns of a link."""

    id: str
    environment_id: str
    integration_id: str
    kind: str
    is_open: bool
    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    identity_key: str | None
    parent_id: str | None
    operator_label: str | None
    workspace_id: str | None
    connection_identifier: str | None
    scopes: str | None
    return_url: str | None
    refresh_url: str | None
    reference: str | None
    auto_link_user: bool
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    used_by_attempt: str | None
    used_identity_key: str | None

    @property
    def may_have_subscriber(self) -> bool:
        return may_have_subscriber(self.mode, self.is_open, self.subscriber_id)

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            is_open=self.is_open,
            mode=self.mode,
            subscriber_id=self.subscriber_id,
            context_keys=self.context_keys,
            offered_contexts=self.offered_contexts,
            workspace_id=self.workspace_id,
            connection_identifier=self.connection_identifier,
            scopes=tuple(filter(None, (self.scopes or "").split(","))),
            return_url=self.return_url,
            refresh_url=self.refresh_url,
            reference=self.reference,
            auto_link_user=self.auto_link_user,
            operator_label=self.operator_label,
        )


class ParentRow(NamedTuple):
    """The columns of a link that decide whether an approval created from it can still be used."""

    id: str
    is_open: bool
    operator_label: str | None
    revoked_at: datetime | None
    used_at: datetime | None
    used_by_attempt: str | None
    used_identity_key: str | None


TABLE = table_of(Link)
COLUMNS = columns_of(TABLE, LinkRow._fields)
_SELECT = select(*COLUMNS)
_INSERT = CompiledInsert(TABLE)


_BY_ID = _SELECT.where(TABLE.c.id == bindparam("link"))
_USABLE_APPROVAL = _SELECT.where(
    TABLE.c.parent_id == bindparam("link"),
    TABLE.c.expires_at > bindparam("at"),
    TABLE.c.revoked_at.is_(None),
    TABLE.c.used_at.is_(None),
).limit(1)
_MARK_USED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("link"), TABLE.c.used_at.is_(None), TABLE.c.revoked_at.is_(None))
    .values(used_at=bindparam("at"), used_by_attempt=bindparam("attempt"), used_identity_key=bindparam("key"))
    .returning(TABLE.c.id)
)


def new_link(
    integration: Integration | IntegrationRow | LinkedIntegration,
    kind: LinkKind,
    terms: LinkTerms,
    created_at: datetime,
    expires_at: datetime,
) -> LinkRow:
    """Build the row of a new link. `new_rows` prepares it for the INSERT; an approval gets its `parent_id` first.

    An open link expires after `OPEN_LINK_LIFETIME` at the latest.
    """
    if terms.is_open:
        expires_at = min(expires_at, created_at + OPEN_LINK_LIFETIME)
    identities = terms.identities(integration.id)
    return LinkRow(
        id=ids.new_id("cs" if kind is LinkKind.SESSION else "lnk"),
        environment_id=integration.environment_id,
        integration_id=integration.id,
        kind=kind,
        is_open=terms.is_open,
        mode=terms.mode,
        subscriber_id=terms.subscriber_id,
        context_keys=terms.context_keys,
        offered_contexts=terms.offered_contexts,
        identity_key=identities[0] if len(identities) == 1 else None,
        parent_id=None,
        workspace_id=terms.workspace_id,
        connection_identifier=terms.connection_identifier,
        scopes=",".join(terms.scopes) or None,
        return_url=terms.return_url,
        refresh_url=terms.refresh_url,
        reference=terms.reference,
        auto_link_user=terms.auto_link_user,
        operator_label=terms.operator_label,
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=None,
        used_at=None,
        used_by_attempt=None,
        used_identity_key=None,
    )


def new_rows(link: LinkRow) -> NewRows:
    """Return the row for `insert_together`."""
    return NewRows(_INSERT, (link._asdict(),))


def by_id(rows: Rows, link_id: str) -> LinkRow | None:
    """Return the link of any environment: its token's signature is what authorizes the caller."""
    return fetch_first(rows, _BY_ID, LinkRow, {"link": link_id})


def usable_approval(rows: Rows, link_id: str, at: datetime) -> LinkRow | None:
    """Return the approval that was created from the link, if it can still be used."""
    return fetch_first(rows, _USABLE_APPROVAL, LinkRow, {"link": link_id, "at": at})


def mark_used(rows: Rows, link_id: str, attempt_id: str, identity_key: str, at: datetime) -> bool:
    """Mark a link as used unless it has been used or revoked. Of concurrent callers, one gets True."""
    values = {"link": link_id, "attempt": attempt_id, "key": identity_key, "at": at}
    return rows.execute(_MARK_USED, values).first() is not None


def revoke(session: Session, link_id: str, at: datetime) -> str | None:
    """Revoke a link, and return its environment's id. None if no link of this id could still be revoked."""
    revoked = update(Link).where(Link.id == link_id, Link.revoked_at.is_(None)).values(revoked_at=at)
    return session.scalar(revoked.returning(Link.environment_id))
