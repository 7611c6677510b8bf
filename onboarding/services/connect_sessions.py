"""ConnectSessions: read the progress of a link or connect session, and revoke it. `links/create.py` creates both."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from onboarding import changes
from onboarding.addresses import page_origin
from onboarding.branding import NO_BRANDING, Branding
from onboarding.callers import ApiCaller
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused
from onboarding.identity import OfferedContext
from onboarding.lifetimes import EXCHANGE_LIMIT
from onboarding.outcomes import ConnectionStatus, Outcome
from onboarding.services.approvals import was_started_by_holder
from onboarding.store import connect_sessions as store
from onboarding.store import links, origins
from onboarding.store.attempts import Stage
from onboarding.store.connect_sessions import IdentityRow, SessionRow
from onboarding.store.database import Database, Rows
from onboarding.store.link_terms import LinkKind


class SessionState(StrEnum):
    """The progress of a session."""

    CREATED = "created"
    SENT_TO_SLACK = "sent_to_slack"
    #: A Slack admin has to approve. It may take days.
    AWAITING_APPROVAL = "awaiting_approval"
    FINISHED = "finished"


@dataclass(frozen=True)
class SessionConnection:
    """The connection of a session's identity."""

    identifier: str
    status: ConnectionStatus
    #: None for the holder of a link, which may have been forwarded to anyone.
    workspace_name: str | None


@dataclass(frozen=True)
class ConnectSession:
    """A link or connect session without its token. Its terms are for the API caller that created it."""

    id: str
    integration_identifier: str
    #: The name and the accent color of the product, as customers' pages show them.
    product_name: str
    accent_color: str | None
    state: SessionState
    #: How the last attempt ended; None unless the state is `finished`.
    outcome: Outcome | None
    connection: SessionConnection | None
    reference: str | None
    created_at: datetime
    expires_at: datetime
    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    workspace_id: str | None
    return_url: str | None
    refresh_url: str | None
    #: The attempt that `state` and `outcome` describe.
    attempt_id: str | None = None
    #: The link for the Slack admin, while the state is `awaiting_approval`.
    approval_id: str | None = None


@dataclass(frozen=True)
class Embedding:
    """Which sites may show a link or session on their pages, and get messages from its popup."""

    origins: tuple[str, ...] = ()
    is_practice: bool = False
    branding: Branding = NO_BRANDING


class ConnectSessions:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def retrieve(self, caller: ApiCaller, session_id: str) -> ConnectSession:
        """Return a link or session of the caller's environment. Raises NotFound."""
        at = self._now()
        with self._database.rows() as rows:
            row = store.by_id(rows, session_id, at)
            if row is None or row.environment_id != caller.environment.id:
                raise _unknown(session_id)
            return _session(rows, row, at, is_holder=False)

    def of_holder(self, session_id: str, origin: str | None) -> ConnectSession:
        """Return a link or session for the holder of its token. `origin`: the site whose page asks, if any.

        The connection is left out once the token has expired or was revoked. Raises NotFound, and Refused
        (`origin_not_allowed`) for a site that the integration does not allow.
        """
        at = self._now()
        with self._database.rows() as rows:
            row = store.by_id(rows, session_id, at, origin or "")
            if row is None:
                raise _unknown(session_id)
            if origin is not None and not row.is_origin_allowed:
                raise Refused("This origin is not allowed for the session's integration", code="origin_not_allowed")
            found = _session(rows, row, at, is_holder=True)
            # An operator may have removed the origin since.
            is_kept = row.refresh_url is None or _is_allowed(rows, row.integration_id, row.refresh_url)
            return found if is_kept else replace(found, refresh_url=None)

    def revoke(self, caller: ApiCaller, session_id: str) -> None:
        """Revoke a link or session of the caller's environment. Safe to repeat. Raises NotFound."""
        at = self._now()
        with self._database.transaction() as session:
            row = links.by_id(session, session_id)
            if row is None or row.environment_id != caller.environment.id:
                raise _unknown(session_id)
            if links.revoke(session, session_id, at) is not None:
                kind, environment_id = ChangeKind.LINK_REVOKED, row.environment_id
                changes.record(session, Change(kind, caller.actor, at, environment_id, session_id, row.reference))

    def embedding(self, session_id: str) -> Embedding:
        """Return where a link or session may be embedded: nowhere if it does not exist."""
        with self._database.rows() as rows:
            integration = store.integration_of(rows, session_id)
            if integration is None:
                return Embedding()
            allowed = tuple(origins.of_integration(rows, integration.id))
            return Embedding(allowed, integration.is_practice, integration.branding)

    def is_known_origin(self, origin: str) -> bool:
        """Return whether any integration allows the origin. A preflight request names no session."""
        with self._database.rows() as rows:
            return origins.is_listed(rows, origin)


def _is_allowed(rows: Rows, integration_id: str, address: str) -> bool:
    return page_origin(address) in origins.of_integration(rows, integration_id)


def _unknown(session_id: str) -> NotFound:
    return NotFound(f"Connect session '{session_id}' not found", "session_not_found", "Connect session", session_id)


def _session(rows: Rows, row: SessionRow, at: datetime, *, is_holder: bool) -> ConnectSession:
    connection = None if is_holder and not row.is_live(at) else store.connection_of(rows, row)
    state, outcome = _progress(row, at)
    is_broken = connection is None or connection.status.is_broken
    is_named, approval_id = not is_holder or row.kind == LinkKind.SESSION, row.approval_id
    if state is SessionState.CREATED and row.pending_approval_id and is_broken:
        state = SessionState.AWAITING_APPROVAL
        approval = links.by_id(rows, row.pending_approval_id)
        may_see = not is_holder or was_started_by_holder(rows, row, approval)
        approval_id = row.pending_approval_id if may_see else None
    return ConnectSession(
        id=row.id,
        integration_identifier=row.integration_identifier,
        product_name=row.product_name,
        accent_color=row.accent_color,
        state=state,
        outcome=outcome,
        connection=_connection(connection, is_named) if connection else None,
        reference=row.reference,
        created_at=row.created_at,
        expires_at=row.expires_at,
        mode=row.mode,
        subscriber_id=row.subscriber_id,
        context_keys=row.context_keys,
        offered_contexts=row.offered_contexts,
        workspace_id=row.workspace_id,
        return_url=row.return_url,
        refresh_url=row.refresh_url,
        attempt_id=row.attempt_id,
        approval_id=approval_id if state is SessionState.AWAITING_APPROVAL else None,
    )


def _connection(found: IdentityRow, is_named: bool) -> SessionConnection:
    return SessionConnection(found.identifier, found.status, found.workspace_name if is_named else None)


def _progress(row: SessionRow, at: datetime) -> tuple[SessionState, Outcome | None]:
    if row.stage is None and row.used_at is not None:
        return SessionState.FINISHED, row.used_outcome or Outcome.CONNECTED
    if row.is_ended and row.used_at is None:
        return SessionState.FINISHED, Outcome.LINK_REVOKED
    if row.stage is Stage.FINISHED:
        is_awaited = row.outcome is Outcome.AWAITING_APPROVAL
        return _awaited(row, at) if is_awaited else (SessionState.FINISHED, row.outcome)
    if row.stage is None:
        has_expired = row.expires_at <= at
        return (SessionState.FINISHED, Outcome.LINK_EXPIRED) if has_expired else (SessionState.CREATED, None)
    return _under_way(row, at)


def _under_way(row: SessionRow, at: datetime) -> tuple[SessionState, Outcome | None]:
    if row.stage is Stage.EXCHANGING:
        has_died = row.exchanging_at is not None and row.exchanging_at + EXCHANGE_LIMIT <= at
        return (SessionState.FINISHED, Outcome.SLACK_DOWN) if has_died else (SessionState.SENT_TO_SLACK, None)
    if row.attempt_expires_at is not None and row.attempt_expires_at <= at:
        return SessionState.FINISHED, Outcome.STATE_EXPIRED
    return SessionState.SENT_TO_SLACK, None


def _awaited(row: SessionRow, at: datetime) -> tuple[SessionState, Outcome | None]:
    """Return the progress of the approval that the newest attempt waits for."""
    if row.approval_used_at is not None:
        return SessionState.FINISHED, Outcome.CONNECTED
    if row.approval_expires_at is None or row.approval_expires_at <= at:
        return SessionState.FINISHED, Outcome.LINK_EXPIRED
    if row.approval_revoked_at is not None:
        return SessionState.FINISHED, Outcome.LINK_REVOKED
    return SessionState.AWAITING_APPROVAL, None
