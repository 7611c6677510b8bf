"""VerdictRecorder: store Slack's answer about a token on every connection that uses the token."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from onboarding import causes, changes
from onboarding.callers import SYSTEM
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.events import EventDetails, name_changed
from onboarding.outcomes import ConnectionStatus
from onboarding.services.tokens.verdict import Finding, Verdict
from onboarding.slack import scopes
from onboarding.store import connected_installations, connection_changes, installations, integration_locks
from onboarding.store.connection_changes import ConnectionOfInstallation
from onboarding.store.database import Database, Rows, Session
from onboarding.store.installations import Installation

_UNREACHABLE_AFTER = timedelta(hours=1)
_HEALED_FROM = (ConnectionStatus.NEEDS_RECONNECT, ConnectionStatus.UNREACHABLE)


class VerdictRecorder:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def record(self, installation: Installation, is_current: Callable[[Installation], bool], verdict: Verdict) -> bool:
        """Store Slack's verdict on a token, and record what it changes, in one transaction.

        Returns False and changes nothing if the token that Slack was asked about has been replaced since, which
        `is_current` decides.
        """
        with self._database.transaction() as session:
            # Lock in the same order as a disconnect and an install: integration, installation, connections.
            integration_locks.share(session, installation.integration_id)
            current = installations.lock(session, installation.environment_id, installation.id)
            if current is None or not is_current(current):
                return False
            known_scopes = scopes.split(current.scopes)
            changed_scopes = _changed_scopes(known_scopes, verdict.scopes)
            columns: dict[str, Any] = {"unanswered_since": None, **verdict.columns}
            if verdict.scopes is not None and (changed_scopes or not known_scopes):
                columns["scopes"] = ",".join(verdict.scopes)
            permissions = None
            # The first check of an API caller's token learns its permissions. That is no change.
            if changed_scopes and known_scopes:
                permissions = EventDetails("checked", changed_scopes, previous={"scopes": list(known_scopes)})
            installations.change(session, installation.id, **columns)
            self._update_connections(session, installation.id, verdict, permissions)
        return True

    def _update_connections(
        self, session: Session, installation_id: str, verdict: Verdict, permissions: EventDetails | None
    ) -> None:
        """Store the verdict on each connection. `permissions`: how they have changed, if they have."""
        at = self._now()
        before = connection_changes.all_on(session, installation_id)
        workspaces: dict[Finding, set[str]] = {}
        for one in before:
            if (finding := verdict.in_workspace(one.workspace_id)) is not None:
                workspaces.setdefault(finding, set()).add(one.workspace_id)
        for (broken,), workspace_ids in workspaces.items():
            status = ConnectionStatus.NEEDS_RECONNECT if broken else ConnectionStatus.HEALTHY
            columns = {"status": status, "status_reason": broken, "checked_at": at}
            changed = connection_changes.change_all_on(session, installation_id, columns, workspace_ids)
            for one in before:
                if one.id not in changed:
                    continue
                if broken and not one.status.is_broken:
                    _record(session, ChangeKind.CONNECTION_BROKEN, one, at, _new_status(one, broken))
                elif not broken and one.status in _HEALED_FROM:
                    _record(session, ChangeKind.CONNECTION_HEALED, one, at, _new_status(one))
                if permissions is not None:
                    _record(session, ChangeKind.CONNECTION_PERMISSIONS_CHANGED, one, at, permissions)
                if not broken and verdict.workspace_name not in (None, one.workspace_name):
                    _rename(session, one, verdict.workspace_name, at)

    def note_unanswered(self, installation_id: str) -> None:
        """Store that Slack did not answer. After an hour without an answer, connections that worked are unreachable.

        A fault of the network or of Slack says nothing about a token, so nothing else changes.
        """
        at = self._now()
        with self._database.reading() as session:
            found = connected_installations.with_oldest_connection(session, installation_id)
        if found is None:
            return
        with self._database.transaction() as session:
            integration_locks.share(session, found.integration.id)
            current = installations.lock(session, found.installation.environment_id, installation_id)
            if current is None:
                return
            since = current.unanswered_since or at
            installations.change(session, installation_id, unanswered_since=since)
            if at - since < _UNREACHABLE_AFTER:
                return
            reason = causes.UNANSWERED % {"time": f"{since:%Y-%m-%d %H:%M}"}
            for one in connection_changes.all_on(session, installation_id):
                if one.status in (ConnectionStatus.HEALTHY, ConnectionStatus.UNKNOWN):
                    changed = {"status": ConnectionStatus.UNREACHABLE, "status_reason": reason}
                    connection_changes.change(session, one.id, **changed)
                    _record(session, ChangeKind.CONNECTION_UNREACHABLE, one, at, _new_status(one, reason))


def has_token_of(seen: Installation) -> Callable[[Installation], bool]:
    """Return a function that says whether an installation has the token of `seen`.

    Slack may issue the same token again, so the times are compared.
    """
    return lambda now: now.token_since == seen.token_since


def _changed_scopes(before: tuple[str, ...], now: tuple[str, ...] | None) -> str:
    """Return the scopes that were gained and lost, such as `+chat:write -groups:read`. Empty if Slack did not say."""
    if now is None:
        return ""
    known, found = set(before), set(now)
    return " ".join([*(f"+{one}" for one in sorted(found - known)), *(f"-{one}" for one in sorted(known - found))])


def _rename(rows: Rows, one: ConnectionOfInstallation, name: str, at: datetime) -> None:
    """Store the new name of a workspace whose app gets no `team_rename`, because it lacks the scope `team:read`."""
    renamed = {"workspace_id": one.workspace_id, "workspace_name": name, "updated_at": at}
    connection_changes.change(rows, one.id, **renamed)
    details, kind = name_changed(one.workspace_id, one.workspace_name), ChangeKind.CONNECTION_RENAMED
    changes.record(
        rows, Change(kind, SYSTEM, at, one.environment_id, one.identifier, name, detail="name", event=details)
    )


def _new_status(one: ConnectionOfInstallation, reason: str | None = None) -> EventDetails:
    return EventDetails("checked", reason, previous={"status": one.status})


def _record(rows: Rows, kind: ChangeKind, one: ConnectionOfInstallation, at: datetime, event: EventDetails) -> None:
    name, detail = one.workspace_name or one.workspace_id, event.reason or ""
    changes.record(rows, Change(kind, SYSTEM, at, one.environment_id, one.identifier, name, detail=detail, event=event))
