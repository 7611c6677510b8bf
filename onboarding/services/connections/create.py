"""Connections that programs make and change. The identity rule is the one of the install flow, held by the same unique key."""

from datetime import datetime

from onboarding import identity, ids
from onboarding.clock import Clock
from onboarding.errors import (
    Conflict,
    connection_exists,
    identifier_taken,
    unknown_connection,
    unknown_integration,
    unknown_subscriber,
)
from onboarding.outcomes import ConnectionStatus
from onboarding.services.connections import records
from onboarding.services.connections.records import Auth, Connection, NewConnection, Workspace
from onboarding.services.tokens import Tokens
from onboarding.store import audit, connections, contexts, erasure, installations, integrations, subscribers
from onboarding.store.database import BeforeCommit, Database, Rows

_TRIES = 3


class ConnectionWriter:
    def __init__(self, database: Database, tokens: Tokens, now: Clock) -> None:
        self._database, self._tokens, self._now = database, tokens, now

    def create(
        self,
        environment_id: str,
        environment_name: str,
        creates_subscribers: bool,
        wish: NewConnection,
        actor: str,
        before_commit: BeforeCommit,
    ) -> Connection:
        """A new connection (contract.md A3), the token in it. `before_commit` is called before the commit.

        Raises Refused, NotFound (the integration; a subscriber where unknown ones are refused), and Conflict
        (`connection_exists` or `identifier_taken`): one of any number of parallel tries wins.
        """
        mode, subscriber_id = identity.settled_mode(wish.mode, wish.subscriber_id, bool(wish.contexts))
        for _ in range(_TRIES):
            try:
                return self._create(
                    environment_id, creates_subscribers, wish, mode, subscriber_id, actor, before_commit
                )
            except Conflict as conflict:
                if conflict.code != Conflict.code:
                    raise
                # Which of the two keys it was is looked up afterwards: the happy path pays nothing for it.
                self._say_what_exists(environment_id, environment_name, wish, subscriber_id)
        raise Conflict("This connection is being changed by others just now. Try again.", "connection_exists")

    def replace(
        self,
        environment_id: str,
        identifier: str,
        workspace: Workspace,
        auth: Auth,
        actor: str,
        before_commit: BeforeCommit,
    ) -> Connection:
        """Replaces workspace and credentials, both whole. The connection leaves the installation that it lived on.

        Raises NotFound, Refused.
        """
        with self._database.transaction() as session:
            row = connections.locked(session, environment_id, identifier)
            if row is None:
                raise unknown_connection(identifier)
            at, left = self._now(), row.installation_id
            installation_id = self._installation(session, environment_id, row.integration_id, auth, at)
            connections.change(
                session,
                row.id,
                installation_id=installation_id,
                workspace_id=workspace.id,
                workspace_name=workspace.name,
                bot_user_id=workspace.bot_user_id,
                status=ConnectionStatus.UNKNOWN,
                status_reason=None,
                checked_at=None,
                installed_by=None,
                updated_at=at,
            )
            if left != installation_id:
                erasure.erase_unused_installation(session, left)
            self._note(session, environment_id, actor, "connection.updated", identifier, workspace.id)
            return self._told(session, environment_id, identifier, before_commit)

    def _create(
        self,
        environment_id: str,
        creates_subscribers: bool,
        wish: NewConnection,
        mode: str,
        subscriber_id: str | None,
        actor: str,
        before_commit: BeforeCommit,
    ) -> Connection:
        identifier = wish.identifier or ids.connection_identifier()
        keys, at = tuple(wish.contexts), self._now()
        with self._database.changing_rows() as rows:
            integration_id = integrations.shared_id_of(rows, environment_id, wish.integration_identifier)
            if integration_id is None:
                raise unknown_integration(wish.integration_identifier)
            if subscriber_id is not None:
                self._subscriber(rows, environment_id, subscriber_id, creates_subscribers, at)
            contexts.remember(rows, environment_id, wish.contexts, at)
            connections.add(
                rows,
                keys,
                id=ids.new_id("con"),
                environment_id=environment_id,
                identifier=identifier,
                integration_id=integration_id,
                installation_id=self._installation(rows, environment_id, integration_id, wish.auth, at),
                identity_key=identity.identity_key(integration_id, subscriber_id, keys),
                mode=mode,
                subscriber_id=subscriber_id,
                workspace_id=wish.workspace.id,
                workspace_name=wish.workspace.name,
                bot_user_id=wish.workspace.bot_user_id,
                status=ConnectionStatus.UNKNOWN,
                status_reason=None,
                checked_at=None,
                installed_by=None,
                created_at=at,
                updated_at=at,
            )
            self._note(rows, environment_id, actor, "connection.connected", identifier, wish.workspace.id)
            return self._told(rows, environment_id, identifier, before_commit)

    def _told(self, rows: Rows, environment_id: str, identifier: str, before_commit: BeforeCommit) -> Connection:
        row = connections.documented(rows, environment_id, identifier)
        if row is None:
            raise LookupError("The row was written in this transaction.")
        made = records.connection_of(row, self._tokens.access_token(row.installation_id, row.access_token))
        before_commit(rows, made)
        return made

    def _installation(self, rows: Rows, environment_id: str, integration_id: str, auth: Auth, at: datetime) -> str:
        """The id of the row for these credentials.

        A refresh token is single-use: who gives the same one shares the row, and where the server has used it since,
        what came of it stays.
        """
        marks = self._tokens.fingerprints(auth.refresh_token) if auth.refresh_token else ()
        found = installations.by_fingerprint(rows, integration_id, marks) if marks else None
        row_id = found.id if found else ids.new_id("ins")
        # Without an expiry beside it, a token that rotates is refreshed before its first use.
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
        elif found.refresh_token and self._tokens.refresh_token(row_id, found.refresh_token) == auth.refresh_token:
            installations.change(rows, row_id, **values)
        return row_id

    def _subscriber(self, rows: Rows, environment_id: str, subscriber_id: str, creates: bool, at: datetime) -> None:
        if creates:
            subscribers.remember(rows, environment_id, subscriber_id, at)
        elif not subscribers.hold(rows, environment_id, subscriber_id):
            raise unknown_subscriber(subscriber_id)

    def _say_what_exists(
        self, environment_id: str, environment_name: str, wish: NewConnection, subscriber_id: str | None
    ) -> None:
        """Raises Conflict with what is in the way, if it still is."""
        with self._database.reading() as session:
            integration = integrations.by_identifier(session, environment_id, wish.integration_identifier)
            if integration is None:
                raise unknown_integration(wish.integration_identifier)
            key = identity.identity_key(integration.id, subscriber_id, wish.contexts)
            same = connections.by_identity(session, environment_id, key)
            if same is not None:
                raise connection_exists(wish.integration_identifier, subscriber_id, wish.contexts, same.identifier)
            if wish.identifier and connections.by_identifier(session, environment_id, wish.identifier):
                raise identifier_taken(wish.identifier, environment_name)

    def _note(
        self, rows: Rows, environment_id: str, actor: str, action: str, identifier: str, workspace_id: str
    ) -> None:
        audit.note(rows, environment_id, self._now(), actor, action, identifier, workspace_id)
