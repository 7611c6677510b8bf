"""Connections that API callers create and update. The unique identity key holds them to the rule of the install flow."""

from dataclasses import replace
from datetime import datetime

from onboarding import changes, identity, ids
from onboarding.callers import ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.documents import Connection
from onboarding.errors import (
    Conflict,
    VaultProblem,
    connection_exists,
    identifier_taken,
    unknown_connection,
    unknown_integration,
    unknown_subscriber,
)
from onboarding.outcomes import ConnectionStatus
from onboarding.sealed import Sealed
from onboarding.services.connections import records
from onboarding.services.connections.records import Auth, NewConnection, NewCredentials
from onboarding.services.credential_audit import CredentialAudit, CredentialKind
from onboarding.services.tokens import Tokens
from onboarding.store import (
    connection_changes,
    connections,
    contexts,
    erasure,
    installations,
    integrations,
    subscribers,
)
from onboarding.store.database import BeforeCommit, Database, Rows

_ATTEMPTS = 3


class ConnectionWriter:
    def __init__(self, database: Database, tokens: Tokens, credential_audit: CredentialAudit, now: Clock) -> None:
        self._database, self._tokens, self._credential_audit, self._now = database, tokens, credential_audit, now

    def create(self, caller: ApiCaller, new: NewConnection, before_commit: BeforeCommit) -> Connection:
        """Create a connection and return it with its token.

        Of parallel calls for one identity or identifier, one succeeds. Raises Refused, NotFound (the integration; a
        subscriber where unknown ones are refused) and Conflict (`connection_exists` or `identifier_taken`).
        """
        mode, subscriber_id = identity.settled_mode(new.mode, new.subscriber_id, bool(new.contexts))
        new = replace(new, mode=mode, subscriber_id=subscriber_id)
        for _ in range(_ATTEMPTS):
            try:
                created = self._create(caller, new, before_commit)
            except Conflict as conflict:
                if conflict.code != Conflict.code:
                    raise
                # Looked up only after the insert has failed, so that a successful one costs no extra query.
                self._raise_what_exists(caller.environment, new)
            else:
                return self._audited(caller, created, new.auth)
        raise Conflict("Other requests are changing this connection. Try again.", "connection_exists")

    def replace_credentials(
        self, caller: ApiCaller, identifier: str, new: NewCredentials, before_commit: BeforeCommit
    ) -> Connection:
        """Replace workspace and credentials as a whole. The connection leaves its installation.

        Raises NotFound, Refused.
        """
        environment_id = caller.environment.id
        with self._database.transaction() as session:
            row = connections.locked(session, environment_id, identifier)
            if row is None:
                raise unknown_connection(identifier)
            at, left = self._now(), row.installation_id
            installation_id = self._installation(session, environment_id, row.integration_id, new.auth, at)
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
            if left != installation_id:
                erasure.erase_unused_installation(session, left)
            kind, detail = ChangeKind.CONNECTION_UPDATED, new.workspace.id
            changes.record(session, Change(kind, caller.actor, at, environment_id, identifier, detail=detail))
            updated = self._written(session, environment_id, identifier)
            before_commit(session, updated)
        return self._audited(caller, updated, new.auth)

    def _create(self, caller: ApiCaller, new: NewConnection, before_commit: BeforeCommit) -> Connection:
        identifier = new.identifier or ids.connection_identifier()
        environment_id, keys, at = caller.environment.id, tuple(new.contexts), self._now()
        with self._database.changing_rows() as rows:
            # Locks the integration, shared, so that it cannot be removed before the commit.
            integration_id = integrations.shared_id_of(rows, environment_id, new.integration_identifier)
            if integration_id is None:
                raise unknown_integration(new.integration_identifier)
            if new.subscriber_id is not None:
                self._ensure_subscriber(rows, caller.environment, new.subscriber_id, at)
            contexts.remember(rows, environment_id, new.contexts, at)
            connection_changes.add(
                rows,
                keys,
                id=ids.new_id("con"),
                environment_id=environment_id,
                identifier=identifier,
                integration_id=integration_id,
                installation_id=self._installation(rows, environment_id, integration_id, new.auth, at),
                identity_key=identity.identity_key(integration_id, new.subscriber_id, keys),
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
            kind, detail = ChangeKind.CONNECTION_CONNECTED, new.workspace.id
            changes.record(rows, Change(kind, caller.actor, at, environment_id, identifier, detail=detail))
            created = self._written(rows, environment_id, identifier)
            before_commit(rows, created)
        return created

    def _written(self, rows: Rows, environment_id: str, identifier: str) -> Connection:
        """Return the connection that this transaction has written, with its token."""
        row = connections.documented(rows, environment_id, identifier)
        if row is None:
            raise LookupError("The row was written in this transaction.")
        try:
            return records.connection_of(row, self._tokens.access_token(row.installation_id, row.access_token))
        except VaultProblem:
            # The token that connections with this refresh token share. `verify` renews it.
            return records.connection_without_token(row)

    def _audited(self, caller: ApiCaller, written: Connection, given: Auth) -> Connection:
        """Return `written`; a token in it that the caller did not send is recorded as a read of credentials.

        A refresh token that another connection already uses gets that connection's current access token.
        """
        if written.access_token not in (None, given.access_token) and caller.may_see_secrets:
            self._credential_audit.record(caller, CredentialKind.CONNECTION, written.identifier)
        return written

    def _installation(self, rows: Rows, environment_id: str, integration_id: str, auth: Auth, at: datetime) -> str:
        """Store the credentials and return the id of their installation.

        A refresh token is single-use, so connections with the same one share an installation. If the server has already
        used it, the installation keeps its newer tokens.
        """
        marks = self._tokens.fingerprints(auth.refresh_token) if auth.refresh_token else ()
        found = installations.by_fingerprint(rows, integration_id, marks) if marks else None
        row_id = found.id if found else ids.new_id("ins")
        # A token that rotates and has no expiry counts as expired, so it is refreshed before its first use.
        expires_at = auth.expires_at or (at if auth.refresh_token else None)
        values = {
            **self._tokens.sealed(row_id, auth.access_token, auth.refresh_token, expires_at),
            "refresh_expires_at": auth.refresh_expires_at,
            "refresh_fingerprint": marks[0] if marks else None,
            "installed_at": at,
        }
        if found is None:
            installations.add_given(
                rows,
                id=row_id,
                environment_id=environment_id,
                integration_id=integration_id,
                slack_key=f"api:{row_id}",
                **values,
            )
        elif found.refresh_token and self._is_current(row_id, found.refresh_token, auth.refresh_token):
            installations.change(rows, row_id, **values)
        return row_id

    def _is_current(self, installation_id: str, sealed: Sealed, given: str | None) -> bool:
        """Return whether the refresh token that the caller sent is the stored one, or the stored one cannot be decrypted."""
        try:
            return self._tokens.refresh_token(installation_id, sealed) == given
        except VaultProblem:
            return True

    def _ensure_subscriber(self, rows: Rows, environment: CallerEnvironment, subscriber_id: str, at: datetime) -> None:
        """Raises NotFound where the environment refuses unknown subscribers."""
        if environment.creates_subscribers:
            subscribers.remember(rows, environment.id, subscriber_id, at)
        elif not subscribers.hold(rows, environment.id, subscriber_id):
            raise unknown_subscriber(subscriber_id)

    def _raise_what_exists(self, environment: CallerEnvironment, new: NewConnection) -> None:
        """Raise the Conflict that names the connection in the way. Return if it is gone in the meantime."""
        with self._database.reading() as session:
            integration = integrations.by_identifier(session, environment.id, new.integration_identifier)
            if integration is None:
                raise unknown_integration(new.integration_identifier)
            key = identity.identity_key(integration.id, new.subscriber_id, new.contexts)
            same = connections.by_identity(session, environment.id, key)
            if same is not None:
                raise connection_exists(new.integration_identifier, new.subscriber_id, new.contexts, same.identifier)
            if new.identifier and connections.by_identifier(session, environment.id, new.identifier):
                raise identifier_taken(new.identifier, environment.name)
