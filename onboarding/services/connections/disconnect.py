"""Disconnecting: remove a connection and, if nothing else uses the workspace, the app's access at Slack."""

from contextlib import suppress
from dataclasses import replace

from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind, record
from onboarding.clock import Clock
from onboarding.errors import NotFound, StorageProblem, VaultProblem, unknown_connection
from onboarding.events import EventDetails
from onboarding.outcomes import GrantResult
from onboarding.services.connections.records import Disconnected
from onboarding.services.installations import Installations
from onboarding.services.revocations import Access, Revocations
from onboarding.store import (
    audit,
    connection_changes,
    connection_documents,
    connections,
    erasure,
    installations,
    integration_locks,
    workspace_holders,
    workspaces,
)
from onboarding.store.connections import ChannelConnection
from onboarding.store.database import Database, Session
from onboarding.store.retries import repeat_on_conflict


class Disconnector:
    def __init__(self, database: Database, installations: Installations, revocations: Revocations, now: Clock) -> None:
        self._database, self._installations, self._revocations, self._now = database, installations, revocations, now

    def disconnect(self, environment_id: str, identifier: str, actor: Actor, revoke: bool = True) -> GrantResult:
        """Remove the connection and, if nothing else uses the workspace, revoke its access at Slack.

        `revoke` false leaves the access at Slack as it is. The connection is removed even if Slack refuses, and also if
        its token cannot be decrypted. If Slack does not answer, the result is PENDING, and it is asked again later.
        Raises NotFound.
        """
        access, result = repeat_on_conflict(lambda: self._remove(environment_id, identifier, actor, revoke))
        if access is not None:
            with suppress(StorageProblem):
                return self._revocations.revoke(access)
        return result

    def _remove(
        self, environment_id: str, identifier: str, actor: Actor, revoke: bool
    ) -> tuple[Access | None, GrantResult]:
        """Remove the connection; return its access if it must be revoked, and the result so far."""
        with self._database.transaction() as session:
            connection = self._locked(session, environment_id, identifier)
            was = connection_documents.documented(session, environment_id, identifier)
            connection_changes.remove(session, connection.id)
            access, result = self._ended_access(session, connection, revoke)
            details = EventDetails("requested", previous={"status": connection.status}, removed=was)
            entry_id = record(
                session,
                Change(
                    ChangeKind.CONNECTION_DISCONNECTED,
                    actor,
                    self._now(),
                    environment_id,
                    identifier,
                    subject_name=connection.workspace_name or connection.workspace_id,
                    result=result,
                    event=details,
                ),
            )
            if access is not None:
                access = replace(access, id=entry_id)
                self._revocations.add(session, access)
        return access, result

    def last_disconnect(self, environment_id: str, identifier: str) -> Disconnected:
        """Return how the last disconnect of this identifier ended. Raises NotFound."""
        with self._database.reading() as session:
            entry = audit.newest(session, environment_id, ChangeKind.CONNECTION_DISCONNECTED, identifier)
        if entry is None or entry.result is None:
            raise NotFound("There was no such connection.")
        return Disconnected(GrantResult(entry.result), entry.subject_name or "", entry.at)

    def _locked(self, session: Session, environment_id: str, identifier: str) -> ChannelConnection:
        """Lock the connection, after what it uses. Raises NotFound, Conflict.

        Concurrent disconnects in one workspace wait for each other, so the last one finds the workspace unused.
        """
        seen = connections.by_identifier(session, environment_id, identifier)
        if seen is not None:
            integration_locks.share(session, seen.integration_id)
            workspaces.lock(session, seen.integration_id, seen.workspace_id)
            installations.lock_all(session, filter(None, [seen.installation_id]))
            seen = connections.lock(session, seen)
        if seen is None:
            raise unknown_connection(identifier)
        return seen

    def _ended_access(
        self, session: Session, connection: ChannelConnection, revoke: bool
    ) -> tuple[Access | None, GrantResult]:
        """Return the access to revoke at Slack, if any, and the result until Slack has answered."""
        if connection.installation_id is None:
            return None, GrantResult.ALREADY_GONE
        try:
            access = self._access_to_revoke(session, connection, connection.installation_id, revoke)
        except VaultProblem:
            return None, GrantResult.NOT_CONFIRMED
        return access, GrantResult.PENDING if access else GrantResult.KEPT

    def _access_to_revoke(
        self, session: Session, connection: ChannelConnection, installation_id: str, revoke: bool
    ) -> Access | None:
        """Erase the installation if it has no other connection. Return its access if nothing else uses the workspace.

        Raises VaultProblem; the installation is erased by then.
        """
        installation = installations.by_id(session, connection.environment_id, installation_id)
        if installation is None:
            raise LookupError("The connection's installation is missing.")
        if not erasure.erase_unused_installation(session, installation.id) or not revoke:
            return None
        if workspace_holders.uses_workspace(session, connection.integration_id, connection.workspace_id):
            return None
        return self._installations.access_of(installation, connection.workspace_id)
