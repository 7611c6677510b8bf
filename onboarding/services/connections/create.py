"""Create and update connections for API callers. As in an install, an identity has at most one connection."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from onboarding import changes, identity, ids
from onboarding.before_commit import BeforeCommit
from onboarding.callers import ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.connection_rows import connection_of, connection_without_token
from onboarding.documents import Connection
from onboarding.errors import (
    Conflict,
    VaultProblem,
    connection_exists,
    identifier_taken,
    unknown_connection,
    unknown_integration,
    unknown_subscriber,
    workspace_taken,
)
from onboarding.events import EventDetails
from onboarding.outcomes import ConnectionStatus
from onboarding.services.connections.credentials import GivenCredentials
from onboarding.services.connections.records import Auth, NewConnection, NewCredentials
from onboarding.services.credential_audit import CredentialAudit, CredentialKind
from onboarding.services.installations import Installations
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import (
    connection_changes,
    connection_documents,
    connection_identities,
    connections,
    contexts,
    installations,
    integration_locks,
    integrations,
    subscribers,
    workspace_holders,
    workspaces,
)
from onboarding.store.database import Database, Rows
from onboarding.store.integration_locks import SharedIntegration
from onboarding.store.retries import repeat_on_conflict

_TRIES = 3


class _Revived(Exception):
    """Another request has revived the connection."""


class ConnectionWriter:
    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        installations: Installations,
        credential_audit: CredentialAudit,
        now: Clock,
    ) -> None:
        self._database, self._tokens, self._credential_audit, self._now = database, tokens, credential_audit, now
        self._installations = installations
        self._credentials = GivenCredentials(tokens)

    def create(self, caller: ApiCaller, new: NewConnection, before_commit: BeforeCommit) -> Connection:
        """Create a connection and return it with its token. A disconnected one of the same identity is revived instead.

        Of parallel calls for one identity or identifier, one succeeds. Raises Refused, NotFound (the integration; a
        subscriber where unknown ones are refused) and Conflict (`connection_exists`, `identifier_taken` or
        `workspace_taken`).
        """
        mode, subscriber_id = identity.resolve_mode(new.mode, new.subscriber_id, bool(new.contexts))
        new = replace(new, mode=mode, subscriber_id=subscriber_id)
        for _ in range(_TRIES):
            try:
                created = self._create(caller, new, before_commit)
            except Conflict as conflict:
                if conflict.has_own_code:
                    raise
                # Looked up only after the insert has failed, so that a successful one costs no extra query.
                identifier = self._disconnected(caller.environment, new)
                if identifier is None:
                    continue
                with suppress(_Revived):
                    return self._revive(caller, identifier, new, before_commit)
            else:
                return self._audited(caller, created, new.auth)
        raise Conflict("Other requests are changing this connection. Try again.", "connection_exists")

    def replace_credentials(
        self, caller: ApiCaller, identifier: str, new: NewCredentials, before_commit: BeforeCommit
    ) -> Connection:
        """Replace workspace and credentials as a whole. Other connections of its installation keep theirs.

        Raises NotFound, Refused, Conflict (`workspace_taken`, or if other requests keep changing the same objects).
        """
        updated = repeat_on_conflict(lambda: self._replace(caller, identifier, new, before_commit))
        return self._audited(caller, updated, new.auth)

    def _revive(
        self, caller: ApiCaller, identifier: str, new: NewConnection, before_commit: BeforeCommit
    ) -> Connection:
        """Give a disconnected connection new credentials. Raises _Revived if another request has done so."""
        given = NewCredentials(new.workspace, new.auth)
        revived = repeat_on_conflict(
            lambda: self._replace(caller, identifier, given, before_commit, only_disconnected=True)
        )
        return self._audited(caller, revived, new.auth)

    def _replace(
        self,
        caller: ApiCaller,
        identifier: str,
        new: NewCredentials,
        before_commit: BeforeCommit,
        only_disconnected: bool = False,
    ) -> Connection:
        environment_id, at = caller.environment.id, self._now()
        with self._database.transaction() as session:
            seen = connections.by_identifier(session, environment_id, identifier)
            integration = integration_locks.share(session, seen.integration_id) if seen is not None else None
            if seen is None or integration is None:
                raise unknown_connection(identifier)
            old_installation_id, old_workspace_id = seen.installation_id, seen.workspace_id
            if only_disconnected and old_installation_id is not None:
                raise _Revived
            workspaces.lock_to_connect(session, integration.id, new.workspace.id, integration.workspace_policy)
            known_id = self._credentials.installation_of(session, integration.id, new.auth)
            # Both are locked before the connection, in the order of their ids. Otherwise, two requests that swap the
            # credentials of two connections would wait for each other.
            installations.lock_all(session, filter(None, (old_installation_id, known_id)))
            installation_id = self._credentials.store(session, environment_id, integration.id, new.auth, at)
            row = connections.lock(session, seen)
            if row is None:
                raise unknown_connection(identifier)
            # A disconnected connection did not hold its workspace.
            if new.workspace.id != old_workspace_id or old_installation_id is None:
                _check_workspace(session, integration, new.workspace.id, row.subscriber_id, row.context_keys)
            previous = {"workspace": {"id": row.workspace_id, "name": row.workspace_name}, "status": row.status}
            connection_changes.change(
                session,
                row.id,
                installation_id=installation_id,
                workspace_id=new.workspace.id,
                workspace_name=new.workspace.name,
                bot_user_id=new.workspace.bot_user_id,
                status=ConnectionStatus.UNKNOWN,
                status_reason=None,
                checked_at=None,
                installed_by=None,
                updated_at=at,
            )
            # Other connections may still use the old installation. It is erased only with the last one.
            if old_installation_id not in (None, installation_id):
                self._installations.erase_unused(session, [old_installation_id], at, caller.actor)
            is_revived = old_installation_id is None
            kind = ChangeKind.CONNECTION_RECONNECTED if is_revived else ChangeKind.CONNECTION_UPDATED
            detail, event = new.workspace.id, EventDetails("credentials_replaced", previous=previous)
            change = Change(kind, caller.actor, at, environment_id, identifier, detail=detail, event=event)
            changes.record(session, change)
            updated = self._written(session, environment_id, identifier)
            before_commit(session, updated)
        return updated

    def _create(self, caller: ApiCaller, new: NewConnection, before_commit: BeforeCommit) -> Connection:
        identifier = new.identifier or ids.connection_identifier()
        environment_id, keys, at = caller.environment.id, tuple(new.contexts), self._now()
        with self._database.changing_rows() as rows:
            # Locks the integration, shared, so that it cannot be removed before the commit.
            integration = integration_locks.share_named(rows, environment_id, new.integration_identifier)
            if integration is None:
                raise unknown_integration(new.integration_identifier)
            workspaces.lock_to_connect(rows, integration.id, new.workspace.id, integration.workspace_policy)
            if new.subscriber_id is not None:
                self._ensure_subscriber(rows, caller.environment, new.subscriber_id, at)
            contexts.remember(rows, environment_id, new.contexts, at)
            connection_changes.add(
                rows,
                keys,
                id=ids.new_id("con"),
                environment_id=environment_id,
                identifier=identifier,
                integration_id=integration.id,
                installation_id=self._credentials.store(rows, environment_id, integration.id, new.auth, at),
                identity_key=identity.identity_key(integration.id, new.subscriber_id, keys),
                mode=new.mode,
                subscriber_id=new.subscriber_id,
                workspace_id=new.workspace.id,
                workspace_name=new.workspace.name,
                bot_user_id=new.workspace.bot_user_id,
                status=ConnectionStatus.UNKNOWN,
                status_reason=None,
                checked_at=None,
                installed_by=None,
                created_at=at,
                updated_at=at,
            )
            # After the insert: an identity or identifier that is taken is reported first.
            _check_workspace(rows, integration, new.workspace.id, new.subscriber_id, keys)
            kind, detail = ChangeKind.CONNECTION_CONNECTED, new.workspace.id
            event = EventDetails("created_through_api")
            change = Change(kind, caller.actor, at, environment_id, identifier, detail=detail, event=event)
            changes.record(rows, change)
            created = self._written(rows, environment_id, identifier)
            before_commit(rows, created)
        return created

    def _written(self, rows: Rows, environment_id: str, identifier: str) -> Connection:
        """Return the connection that this transaction has written, with its token."""
        row = connection_documents.documented(rows, environment_id, identifier)
        if row is None:
            raise LookupError("The connection that was just written is missing.")
        if row.installation_id is None or row.access_token is None:
            return connection_of(row)
        try:
            return connection_of(row, self._tokens.access_token(row.installation_id, row.access_token))
        except VaultProblem:
            # Other connections share the refresh token, and their access token cannot be decrypted. `verify` renews it.
            return connection_without_token(row)

    def _audited(self, caller: ApiCaller, written: Connection, given: Auth) -> Connection:
        """Return `written`; a token in it that the caller did not send is recorded as a read of credentials.

        A refresh token that another connection already uses gets that connection's current access token.
        """
        if written.access_token not in (None, given.access_token) and caller.may_see_secrets:
            self._credential_audit.record(caller, CredentialKind.CONNECTION, written.identifier)
        return written

    def _ensure_subscriber(self, rows: Rows, environment: CallerEnvironment, subscriber_id: str, at: datetime) -> None:
        """Lock the subscriber, and create it first if the environment allows that. Raises NotFound."""
        if environment.creates_subscribers:
            subscribers.remember(rows, environment.id, subscriber_id, at)
        elif not subscribers.hold(rows, environment.id, subscriber_id):
            raise unknown_subscriber(subscriber_id)

    def _disconnected(self, environment: CallerEnvironment, new: NewConnection) -> str | None:
        """Return the identifier of the disconnected connection that `new` revives.

        Raises Conflict, which names the existing connection, if `new` cannot revive it. Returns None if it has been
        removed in the meantime.
        """
        with self._database.reading() as session:
            integration = integrations.by_identifier(session, environment.id, new.integration_identifier)
            if integration is None:
                raise unknown_integration(new.integration_identifier)
            key = identity.identity_key(integration.id, new.subscriber_id, new.contexts)
            same = connection_identities.by_identity(session, environment.id, key)
            if same is not None:
                if same.installation_id is None and new.identifier in (None, same.identifier):
                    return same.identifier
                raise connection_exists(new.integration_identifier, new.subscriber_id, new.contexts, same.identifier)
            if new.identifier and connections.by_identifier(session, environment.id, new.identifier):
                raise identifier_taken(new.identifier, environment.name)
        return None


def _check_workspace(
    rows: Rows,
    integration: SharedIntegration,
    workspace_id: str,
    subscriber_id: str | None,
    context_keys: tuple[str, ...],
) -> None:
    """Check that no other customer has the workspace, unless the integration allows it. Raises Conflict.

    The caller has locked the workspace.
    """
    if integration.workspace_policy == "allow":
        return
    if workspace_holders.held_by_another(rows, integration.id, workspace_id, subscriber_id, context_keys):
        raise workspace_taken(workspace_id)
