"""The end of a connection, whoever ends it: a person of the console, the shell or a program."""

from contextlib import suppress
from dataclasses import dataclass, field

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound, SlackProblem, SlackRefused, StorageProblem, VaultProblem, unknown_connection
from onboarding.services.connections.records import Disconnected
from onboarding.services.tokens import Tokens
from onboarding.slack.gateway import Credentials, Gateway
from onboarding.store import audit, connections, erasure, installations, integrations
from onboarding.store.connections import ChannelConnection
from onboarding.store.database import Database, Session


@dataclass(frozen=True)
class _Access:
    """What is given back to Slack."""

    credentials: Credentials
    token: str = field(repr=False)
    #: Of a token that rotates.
    refresh_token: str | None = field(repr=False)
    is_expired: bool
    #: A program said which workspace the token belongs to. If it belongs to another, that one may be in use, so nothing is
    #: done with it until Slack has said whose it is.
    is_unchecked: bool


class Disconnector:
    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now

    def disconnect(self, environment_id: str, identifier: str, actor: str, revoke: bool = True) -> str:
        """Removes the connection, and the app from the workspace where nothing else uses it. The result.

        `revoke` false leaves Slack as it is. Raises NotFound.
        """
        entry_id = ids.new_id("aud")
        with self._database.transaction() as session:
            # Two ends at once wait for each other here, so that the second sees that it is the last.
            one = connections.locked(session, environment_id, identifier)
            if one is None or not connections.remove(session, one.id):
                raise unknown_connection(identifier)
            try:
                to_revoke = self._what_to_revoke(session, one, revoke)
                result = "not_confirmed" if to_revoke else "kept"
            except VaultProblem:
                # What does not open cannot be revoked, and must not keep a person from disconnecting.
                to_revoke, result = None, "not_confirmed"
            name = one.workspace_name or one.workspace_id
            at, detail = self._now(), f"{result}:{name}"
            audit.note(session, environment_id, at, actor, "connection.disconnected", identifier, detail, entry_id)
        if to_revoke is None:
            return result
        try:
            result = self._give_back(to_revoke, one.workspace_id)
        except SlackProblem:
            return "not_confirmed"
        # The end is told whether or not it can be written down: until then the entry says that Slack did not confirm it.
        with suppress(StorageProblem), self._database.transaction() as session:
            audit.set_detail(session, entry_id, f"{result}:{name}")
        return result

    def _give_back(self, access: _Access, workspace_id: str) -> str:
        """The result. Raises SlackProblem."""
        credentials, token = access.credentials, access.token
        if access.is_unchecked:
            if not self._is_of(workspace_id, credentials, token):
                return "not_confirmed"
        elif access.refresh_token and access.is_expired:
            # Slack ends an installation for a token that lives, and says of this one only that it has expired.
            token = self._gateway.refresh(credentials, access.refresh_token).access_token
        was_there = self._gateway.revoke(credentials, token, rotates=access.refresh_token is not None)
        return "revoked" if was_there else "already_gone"

    def _is_of(self, workspace_id: str, credentials: Credentials, token: str) -> bool:
        """True also for a token that does not work any more. Raises SlackBusy, SlackDown."""
        try:
            return self._gateway.test(credentials, token) == workspace_id
        except SlackRefused:
            return True

    def disconnected(self, environment_id: str, identifier: str) -> Disconnected:
        """How the last disconnect of this identifier ended. Raises NotFound."""
        with self._database.reading() as session:
            entry = audit.newest(session, environment_id, "connection.disconnected", identifier)
        if entry is None:
            raise NotFound("There was no such connection.")
        result, _, name = entry.detail.partition(":")
        return Disconnected(result, name, entry.at)

    def _what_to_revoke(self, session: Session, one: ChannelConnection, revoke: bool) -> _Access | None:
        """Erases the installation that nothing lives on any more; what to ask Slack, if nothing has the workspace.

        Raises VaultProblem once it is erased.
        """
        installation = installations.by_id(session, one.environment_id, one.installation_id)
        integration = integrations.by_id(session, one.environment_id, one.integration_id)
        if installation is None or integration is None:
            raise LookupError("A connection refers to both by foreign keys.")
        if not erasure.erase_unused_installation(session, installation.id) or not revoke:
            return None
        if connections.uses_workspace(session, integration.id, one.workspace_id):
            return None
        sealed = installation.refresh_token
        return _Access(
            self._tokens.credentials(integration),
            self._tokens.access_token(installation.id, installation.access_token),
            self._tokens.refresh_token(installation.id, sealed) if sealed is not None else None,
            is_expired=installation.expires_at is not None and installation.expires_at <= self._now(),
            is_unchecked=installation.origin == "api",
        )
