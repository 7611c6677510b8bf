"""Disconnecting: remove a connection and, if nothing else uses the workspace, the app's access at Slack."""

from contextlib import suppress
from dataclasses import dataclass, field

from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind, record
from onboarding.clock import Clock
from onboarding.errors import NotFound, SlackProblem, SlackRefused, StorageProblem, VaultProblem, unknown_connection
from onboarding.events import EventDetails
from onboarding.outcomes import GrantResult
from onboarding.services.connections.records import Disconnected
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.workspace_checks import WorkspaceChecks
from onboarding.slack.gateway import AppCredentials, Gateway
from onboarding.store import (
    audit,
    connection_changes,
    connection_documents,
    connections,
    erasure,
    installations,
    integration_locks,
    integrations,
    workspace_holders,
    workspaces,
)
from onboarding.store.connections import ChannelConnection
from onboarding.store.database import Database, Session
from onboarding.store.retries import repeat_on_conflict


@dataclass(frozen=True)
class _Access:
    """The data that revokes an installation at Slack after its row was erased."""

    app: AppCredentials
    token: str = field(repr=False)
    #: None for a token that does not rotate.
    refresh_token: str | None = field(repr=False)
    has_expired: bool
    integration_id: str
    workspace_id: str
    #: The workspace is what the caller of the API said. If the token belongs to another workspace, that one may be in
    #: use, so nothing is revoked until Slack has confirmed it.
    is_unconfirmed: bool


class Disconnector:
    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now
        self._checks = WorkspaceChecks(database, now)

    def disconnect(self, environment_id: str, identifier: str, actor: Actor, revoke: bool = True) -> GrantResult:
        """Remove the connection and, if nothing else uses the workspace, revoke its access at Slack.

        `revoke` false leaves the access at Slack as it is. The connection is removed even if Slack refuses, and also if
        its token cannot be decrypted. Raises NotFound.
        """
        access, entry_id, result = repeat_on_conflict(lambda: self._remove(environment_id, identifier, actor, revoke))
        return self._revoke(access, entry_id) if access else result

    def _remove(
        self, environment_id: str, identifier: str, actor: Actor, revoke: bool
    ) -> tuple[_Access | None, str, GrantResult]:
        """Remove the connection; return its access if it must be revoked, the audit entry's id, the result so far."""
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
        return access, entry_id, result

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
    ) -> tuple[_Access | None, GrantResult]:
        """Return the access to revoke at Slack, if any, and the result until Slack has answered."""
        if connection.installation_id is None:
            return None, GrantResult.ALREADY_GONE
        try:
            access = self._access_to_revoke(session, connection, connection.installation_id, revoke)
        except VaultProblem:
            return None, GrantResult.NOT_CONFIRMED
        return access, GrantResult.NOT_CONFIRMED if access else GrantResult.KEPT

    def _access_to_revoke(
        self, session: Session, connection: ChannelConnection, installation_id: str, revoke: bool
    ) -> _Access | None:
        """Erase the installation if it has no other connection. Return its access if nothing else uses the workspace.

        Raises VaultProblem; the installation is erased by then.
        """
        installation = installations.by_id(session, connection.environment_id, installation_id)
        integration = integrations.by_id(session, connection.environment_id, connection.integration_id)
        if installation is None or integration is None:
            raise LookupError("A connection refers to both by foreign keys.")
        if not erasure.erase_unused_installation(session, installation.id) or not revoke:
            return None
        if workspace_holders.uses_workspace(session, integration.id, connection.workspace_id):
            return None
        sealed = installation.refresh_token
        return _Access(
            self._tokens.app_credentials(integration),
            self._tokens.access_token(installation.id, installation.access_token),
            self._tokens.refresh_token(installation.id, sealed) if sealed is not None else None,
            has_expired=installation.expires_at is not None and installation.expires_at <= self._now(),
            integration_id=integration.id,
            workspace_id=connection.workspace_id,
            is_unconfirmed=installation.origin == "api",
        )

    def _revoke(self, access: _Access, entry_id: str) -> GrantResult:
        try:
            result = self._revoked(access)
        except SlackProblem:
            result = GrantResult.NOT_CONFIRMED
        # If this fails, the audit entry still says that Slack did not confirm.
        with suppress(StorageProblem), self._database.transaction() as session:
            audit.set_result(session, entry_id, result)
            self._checks.enqueue(session, access.integration_id, access.workspace_id)
        return result

    def _revoked(self, access: _Access) -> GrantResult:
        """Revoke the app's access at Slack and return the result. Raises SlackProblem."""
        app, token = access.app, access.token
        if access.is_unconfirmed:
            if not self._belongs_to_workspace(access):
                return GrantResult.NOT_CONFIRMED
        elif access.refresh_token and access.has_expired:
            # apps.uninstall answers an expired token with an error, so it needs a new one.
            token = self._gateway.refresh(app, access.refresh_token).access_token
        was_there = self._gateway.revoke(app, token, rotates=access.refresh_token is not None)
        return GrantResult.REVOKED if was_there else GrantResult.ALREADY_GONE

    def _belongs_to_workspace(self, access: _Access) -> bool:
        """Ask Slack. True also for a token that no longer works. Raises SlackBusy, SlackDown."""
        try:
            return self._gateway.test(access.app, access.token).workspace_id == access.workspace_id
        except SlackRefused:
            return True
