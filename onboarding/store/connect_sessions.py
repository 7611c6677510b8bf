"""The state of a link or connect session, for the pages and programs that poll it: one statement."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, exists, func, or_, select

from onboarding.branding import Branding
from onboarding.identity import OfferedContext
from onboarding.lifetimes import RESULT_READABLE
from onboarding.outcomes import ConnectionStatus, Outcome
from onboarding.store import attempts, connections, links, operators, origins
from onboarding.store.attempts import Stage
from onboarding.store.compiled import CompiledStatement
from onboarding.store.database import table_of
from onboarding.store.integrations import Integration
from onboarding.store.link_terms import LinkKind, LinkTerms
from onboarding.store.rows import Rows, fetch_first


class SessionRow(NamedTuple):
    """A link with its newest attempt and the connection of its identity."""

    id: str
    environment_id: str
    integration_id: str
    integration_identifier: str
    product_name: str
    accent_color: str | None
    kind: str
    is_open: bool
    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    workspace_id: str | None
    return_url: str | None
    refresh_url: str | None
    reference: str | None
    identity_key: str | None
    created_at: datetime
    expires_at: datetime
    #: When the link was revoked, or the one that it was created from.
    revoked_at: datetime | None
    #: Whether it, or the link that it was created from, depends on an operator who may not change anything any more.
    has_lost_operator: bool
    used_at: datetime | None
    used_identity_key: str | None
    #: The newest attempt. For a used link: the one that used it, or a later one.
    attempt_id: str | None
    stage: Stage | None
    outcome: Outcome | None
    attempt_expires_at: datetime | None
    exchanging_at: datetime | None
    finished_at: datetime | None
    #: The approval that the attempt waits for.
    approval_id: str | None
    approval_expires_at: datetime | None
    approval_revoked_at: datetime | None
    approval_used_at: datetime | None
    #: How the attempt ended that used the link.
    used_outcome: Outcome | None
    used_finished_at: datetime | None
    #: The connection of the identity that the link was used for, or that it fixes.
    connection_identifier: str | None
    connection_status: ConnectionStatus | None
    workspace_name: str | None
    #: Another approval for the same identity that can be used.
    pending_approval_id: str | None
    #: Whether the integration allows the origin that the caller named.
    is_origin_allowed: bool

    @property
    def is_ended(self) -> bool:
        """Return whether it was revoked, or has ended with the rights of its operator."""
        return self.revoked_at is not None or self.has_lost_operator

    def is_live(self, at: datetime) -> bool:
        """Return whether its token can still read it. A session in use stays readable while its attempt runs."""
        if self.is_ended:
            return False
        finished = self.finished_at or self.used_finished_at
        ends = [self.expires_at, self.attempt_expires_at if self.stage is not Stage.FINISHED else None]
        ends.append(finished + RESULT_READABLE if finished else None)
        return at < max(filter(None, ends))

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            self.is_open, self.mode, self.subscriber_id, self.context_keys, self.offered_contexts, self.workspace_id
        )


class IdentityRow(NamedTuple):
    """The connection of a session's identity."""

    identifier: str
    status: ConnectionStatus
    workspace_name: str | None


class IntegrationOfLink(NamedTuple):
    id: str
    is_practice: bool
    name: str
    accent_color: str | None
    support_url: str | None
    privacy_url: str | None
    logo_digest: str | None

    @property
    def branding(self) -> Branding:
        return Branding(self.name, self.accent_color, self.support_url, self.privacy_url, self.logo_digest)


_LINKS, _ATTEMPTS, _CONNECTIONS = links.TABLE, attempts.TABLE, connections.TABLE
_INTEGRATIONS, _ORIGINS = table_of(Integration), origins.TABLE
_PARENTS, _APPROVALS, _PENDING = _LINKS.alias("parents"), _LINKS.alias("approvals"), _LINKS.alias("pending")
_PENDING_PARENTS = _LINKS.alias("pending_parents")
_NEWEST, _USED_BY, _OTHERS = _ATTEMPTS.alias("newest"), _ATTEMPTS.alias("used_by"), _ATTEMPTS.alias("others")
_NEWEST_ID = (
    select(_OTHERS.c.id)
    .where(_OTHERS.c.link_id == _LINKS.c.id, or_(_LINKS.c.used_at.is_(None), _OTHERS.c.created_at >= _LINKS.c.used_at))
    .order_by(_OTHERS.c.created_at.desc())
    .limit(1)
    .scalar_subquery()
)


def _has_lost_operator(link: FromClause) -> ColumnElement[bool]:
    may_change = exists().where(link.c.operator_label == operators.LABEL, operators.TABLE.c.role == "operator")
    return and_(link.c.operator_label.is_not(None), ~may_change)


_PENDING_APPROVAL_ID = (
    select(_PENDING.c.id)
    .join_from(_PENDING, _PENDING_PARENTS, _PENDING_PARENTS.c.id == _PENDING.c.parent_id)
    .where(
        _PENDING.c.environment_id == _LINKS.c.environment_id,
        _PENDING.c.identity_key == _LINKS.c.identity_key,
        _PENDING.c.kind == LinkKind.APPROVAL.value,
        _PENDING.c.expires_at > bindparam("at", type_=_LINKS.c.expires_at.type),
        _PENDING.c.revoked_at.is_(None),
        _PENDING.c.used_at.is_(None),
        _PENDING_PARENTS.c.revoked_at.is_(None),
        _PENDING_PARENTS.c.used_at.is_(None),
        ~_has_lost_operator(_PENDING),
    )
    .limit(1)
    .scalar_subquery()
)
_IS_ORIGIN_ALLOWED = exists().where(
    _ORIGINS.c.integration_id == _LINKS.c.integration_id, _ORIGINS.c.origin == bindparam("origin")
)
_COMPUTED = {
    "integration_identifier": _INTEGRATIONS.c.identifier,
    "product_name": _INTEGRATIONS.c.name,
    "accent_color": _INTEGRATIONS.c.accent_color,
    "revoked_at": func.coalesce(_LINKS.c.revoked_at, _PARENTS.c.revoked_at),
    "has_lost_operator": or_(_has_lost_operator(_LINKS), _has_lost_operator(_PARENTS)),
    "attempt_id": func.coalesce(_NEWEST.c.id, _LINKS.c.used_by_attempt),
    "stage": _NEWEST.c.stage,
    "outcome": _NEWEST.c.outcome,
    "attempt_expires_at": _NEWEST.c.expires_at,
    "exchanging_at": _NEWEST.c.exchanging_at,
    "finished_at": _NEWEST.c.finished_at,
    "approval_id": _APPROVALS.c.id,
    "approval_expires_at": _APPROVALS.c.expires_at,
    "approval_revoked_at": _APPROVALS.c.revoked_at,
    "approval_used_at": _APPROVALS.c.used_at,
    "used_outcome": _USED_BY.c.outcome,
    "used_finished_at": _USED_BY.c.finished_at,
    "connection_identifier": _CONNECTIONS.c.identifier,
    "connection_status": _CONNECTIONS.c.status,
    "workspace_name": _CONNECTIONS.c.workspace_name,
    "pending_approval_id": _PENDING_APPROVAL_ID,
    "is_origin_allowed": _IS_ORIGIN_ALLOWED,
}
_COLUMNS = [(_COMPUTED[name] if name in _COMPUTED else _LINKS.c[name]).label(name) for name in SessionRow._fields]
_BY_ID: CompiledStatement[SessionRow] = CompiledStatement(
    select(*_COLUMNS)
    .join_from(_LINKS, _INTEGRATIONS, _INTEGRATIONS.c.id == _LINKS.c.integration_id)
    .outerjoin(_PARENTS, _PARENTS.c.id == _LINKS.c.parent_id)
    .outerjoin(_NEWEST, _NEWEST.c.id == _NEWEST_ID)
    .outerjoin(_APPROVALS, _APPROVALS.c.id == _NEWEST.c.approval_link_id)
    .outerjoin(_USED_BY, _USED_BY.c.id == _LINKS.c.used_by_attempt)
    .outerjoin(
        _CONNECTIONS,
        and_(
            _CONNECTIONS.c.environment_id == _LINKS.c.environment_id,
            _CONNECTIONS.c.identity_key == func.coalesce(_LINKS.c.used_identity_key, _LINKS.c.identity_key),
        ),
    )
    .where(_LINKS.c.id == bindparam("link")),
    SessionRow,
)


def by_id(rows: Rows, link_id: str, at: datetime, origin: str = "") -> SessionRow | None:
    """Return the link of any environment. `at`: now. `origin`: the site that asks, if any."""
    return _BY_ID.first(rows, {"link": link_id, "at": at, "origin": origin})


def integration_of(rows: Rows, link_id: str) -> IntegrationOfLink | None:
    """Return the integration of a link of any environment."""
    columns = [_INTEGRATIONS.c[name] for name in IntegrationOfLink._fields]
    query = select(*columns).join_from(_LINKS, _INTEGRATIONS, _INTEGRATIONS.c.id == _LINKS.c.integration_id)
    return fetch_first(rows, query.where(_LINKS.c.id == link_id), IntegrationOfLink)


def connection_of(rows: Rows, row: SessionRow) -> IdentityRow | None:
    """Return the connection that the session led to, or that its identity has.

    A session that leaves a choice open has several identities; of their connections, the newest one counts.
    """
    if row.connection_identifier is not None and row.connection_status is not None:
        return IdentityRow(row.connection_identifier, row.connection_status, row.workspace_name)
    if row.identity_key is not None or row.used_identity_key is not None or row.is_open:
        return None
    keys = row.terms.identities(row.integration_id)
    query = select(*(_CONNECTIONS.c[name] for name in IdentityRow._fields))
    query = query.where(_CONNECTIONS.c.environment_id == row.environment_id, _CONNECTIONS.c.identity_key.in_(keys))
    return fetch_first(rows, query.order_by(_CONNECTIONS.c.created_at.desc()).limit(1), IdentityRow)
