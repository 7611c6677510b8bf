"""ManagedConnections: a customer's own page about the connection that their session or link belongs to."""

from dataclasses import dataclass
from datetime import datetime

from onboarding.branding import Branding
from onboarding.callers import Actor, ActorKind
from onboarding.changes import ChangeKind
from onboarding.clock import Clock
from onboarding.errors import LinkProblem, NotFound
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import permissions, rights, way_back
from onboarding.services.installs.bindings import BindingOf, is_bound
from onboarding.slack import scopes
from onboarding.store import attempts, audit, connect_sessions, installs
from onboarding.store.attempts import AttemptRow
from onboarding.store.connect_sessions import SessionRow
from onboarding.store.database import Database, Rows
from onboarding.store.installs import LinkStart
from onboarding.store.link_terms import LinkKind
from onboarding.store.links import LinkRow
from onboarding.translatable import marked


@dataclass(frozen=True)
class Managed:
    """A connection that the holder of a session or link may manage."""

    environment_id: str
    identifier: str
    branding: Branding
    requested_scopes: tuple[str, ...]
    #: The actor of what the holder changes.
    actor: Actor
    #: Whether the session or link can start another install in this browser.
    may_reconnect: bool
    return_url: str | None
    refresh_url: str | None


@dataclass(frozen=True)
class ManagedDisconnect:
    """How the holder's disconnect ended."""

    branding: Branding
    result: GrantResult
    workspace_name: str
    #: Whether the session or link can connect again in this browser.
    may_connect: bool
    return_url: str | None
    refresh_url: str | None


class ManagedConnections:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def find(self, link_id: str, binding_of: BindingOf) -> Managed | None:
        """Return the connection that the holder of a session or link may manage; None while there is none.

        A session's holder may manage the connection of its identity. A link may have been forwarded: only the browser
        that used it may manage the connection that it created. Raises LinkProblem.
        """
        at = self._now()
        with self._database.rows() as rows:
            start, row = _read(rows, link_id, at)
            own = _own_attempt(rows, start.link, binding_of)
            self._check(rows, start, row, own)
            found = connect_sessions.connection_of(rows, row)
            if found is None or (row.kind != LinkKind.SESSION and row.used_at is None):
                return None
            if row.kind != LinkKind.SESSION and (own is None or own.connection_identifier != found.identifier):
                raise _problem(rows, start, Outcome.LINK_USED)
            link, integration = start.link, start.integration
            return Managed(
                environment_id=row.environment_id,
                identifier=found.identifier,
                branding=integration.branding,
                requested_scopes=scopes.split(permissions.requested_scopes(integration, link)),
                actor=Actor(ActorKind.LINK, link.id),
                may_reconnect=_may_start(link, own, at),
                return_url=way_back.return_url(rows, link, Outcome.ALREADY_CONNECTED, found.identifier),
                refresh_url=way_back.refresh_url(rows, link),
            )

    def disconnected(self, link_id: str, identifier: str, binding_of: BindingOf) -> ManagedDisconnect:
        """Return how a disconnect by this holder ended. Raises LinkProblem; NotFound for another's disconnect."""
        at = self._now()
        with self._database.reading() as session:
            start, row = _read(session, link_id, at)
            own = _own_attempt(session, start.link, binding_of)
            self._check(session, start, row, own)
            kind = ChangeKind.CONNECTION_DISCONNECTED
            entry = audit.newest(session, row.environment_id, kind, identifier)
            if entry is None or entry.result is None or entry.actor != str(Actor(ActorKind.LINK, link_id)):
                raise NotFound(marked("There was no such connection."))
            return ManagedDisconnect(
                branding=start.integration.branding,
                result=GrantResult(entry.result),
                workspace_name=entry.subject_name or "",
                may_connect=start.link.used_at is None and _may_start(start.link, own, at),
                return_url=way_back.return_url(session, start.link),
                refresh_url=way_back.refresh_url(session, start.link),
            )

    def _check(self, rows: Rows, start: LinkStart, row: SessionRow, own: AttemptRow | None) -> None:
        """Check that the holder's session or link still works. `own`: see `_own_attempt`. Raises LinkProblem."""
        at, link = self._now(), start.link
        if row.revoked_at is not None or rights.is_link_ended(rows, link, start.parent):
            raise _problem(rows, start, Outcome.LINK_REVOKED)
        is_live = row.is_live(at) if row.kind == LinkKind.SESSION else row.expires_at > at
        if not is_live:
            raise _problem(rows, start, Outcome.LINK_EXPIRED)
        if row.kind != LinkKind.SESSION and row.used_at is not None and own is None:
            raise _problem(rows, start, Outcome.LINK_USED)


def _read(rows: Rows, link_id: str, at: datetime) -> tuple[LinkStart, SessionRow]:
    """Return the link and its connect session. Raises LinkProblem if the link was deleted."""
    start, row = installs.start_of_link(rows, link_id), connect_sessions.by_id(rows, link_id, at)
    if start is None or row is None:
        raise LinkProblem(Outcome.LINK_EXPIRED)
    return start, row


def _own_attempt(rows: Rows, link: LinkRow, binding_of: BindingOf) -> AttemptRow | None:
    """Return the attempt that used the link if it belongs to this browser, else None."""
    attempt = attempts.by_id(rows, link.used_by_attempt) if link.used_by_attempt else None
    return attempt if attempt is not None and is_bound(attempt, binding_of(attempt.id)) else None


def _may_start(link: LinkRow, own: AttemptRow | None, at: datetime) -> bool:
    """Return whether the link can start an install.

    A used link renews the connection, in the browser that used it. An open link renews nothing.
    """
    if link.expires_at <= at:
        return False
    return link.used_at is None or (own is not None and not link.is_open)


def _problem(rows: Rows, start: LinkStart, outcome: Outcome) -> LinkProblem:
    return LinkProblem(outcome, None, way_back.details(rows, start, outcome))
