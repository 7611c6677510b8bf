"""TokenSource: access tokens that Slack accepts now, for everything that calls Slack on behalf of a connection."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from onboarding.clock import Clock
from onboarding.errors import Problem, ReconnectNeeded, SlackDown, SlackRefused, VaultProblem, unknown_connection
from onboarding.sealed import Sealed
from onboarding.services.tokens.record_verdict import VerdictRecorder
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.tokens.verdict import Verdict
from onboarding.slack import faults
from onboarding.slack.gateway import AppCredentials, Gateway
from onboarding.slack.grants import Refreshed
from onboarding.store import connected_installations, connections, installations
from onboarding.store.connected_installations import ConnectedInstallation
from onboarding.store.database import Database
from onboarding.store.installations import Installation

#: A token that expires sooner is refreshed before its use.
_EXPIRES_SOON = timedelta(minutes=5)
#: A token that was refreshed this recently is not refreshed again.
_JUST_REFRESHED = timedelta(seconds=10)
#: A process that holds a claim longer than this has died.
#: Slack accepts a spent refresh token for a short time only, so the next try must not wait long.
_CLAIM_LIFETIME = timedelta(seconds=20)
#: The status of a connection whose refresh token cannot be decrypted is stored, because only a refresh decrypts it. An
#: access token is decrypted at each read, so its status is computed there.
_UNREADABLE = "The stored refresh token cannot be decrypted: it is damaged, or ENCRYPTION_KEYS lacks its key. Connect the workspace again."
_POLLS, _POLL_SECONDS = 60, 0.2


@dataclass(frozen=True)
class UsableToken:
    """An access token, and the Slack app to use it with."""

    #: Without the client secret.
    app: AppCredentials
    access_token: str = field(repr=False)
    installation: Installation = field(repr=False)
    #: This call or a concurrent one has just asked Slack to refresh it.
    is_verified: bool


class TokenSource:
    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now
        self._verdicts = VerdictRecorder(database, now)

    def usable(self, environment_id: str, identifier: str, renew: bool = False) -> UsableToken:
        """Return the access token of a connection, refreshed first if it rotates and expires within five minutes.

        `renew` refreshes a token that rotates even if it is valid for longer, unless that happened less than ten
        seconds ago. Callers in any number of threads and processes cause one request to Slack: one of them claims the
        refresh, the others wait for its result. The new pair is committed before it is returned.
        See https://docs.slack.dev/authentication/using-token-rotation.

        Raises NotFound, and ReconnectNeeded if Slack has ended the access or the token cannot be renewed or decrypted:
        its connections then have the status `disconnected` or `needs_reconnect`. Raises VaultProblem if a refresh
        needs a client secret that cannot be decrypted, and SlackBusy or SlackDown if Slack did not answer; then nothing
        has changed.
        """
        stored = self._of_connection(environment_id, identifier)
        if not self._needs_refresh(stored.installation, renew):
            return self._opened(stored, is_verified=False)
        is_verified = self._refresh_once(stored)
        # The connection may have another installation by now.
        return self._refreshed(self._of_connection(environment_id, identifier), is_verified)

    def usable_of(self, installation_id: str) -> UsableToken | None:
        """Return the token of an installation, as `usable` does. None if no connection uses it any more."""
        stored = self._of_installation(installation_id)
        if stored is None:
            return None
        if not self._needs_refresh(stored.installation):
            return self._opened(stored, is_verified=False)
        is_verified = self._refresh_once(stored)
        stored = self._of_installation(installation_id)
        return self._refreshed(stored, is_verified) if stored else None

    def refresh_due(self, installation_id: str) -> None:
        """Refresh a token whose time has come, unless another process has done so.

        Raises ReconnectNeeded, VaultProblem, SlackBusy and SlackDown, as `usable` does.
        """
        stored = self._of_installation(installation_id)
        if stored is None or stored.installation.refresh_at is None or stored.installation.refresh_at > self._now():
            return
        self._refresh_once(stored)

    def _of_installation(self, installation_id: str) -> ConnectedInstallation | None:
        with self._database.reading() as session:
            return connected_installations.with_oldest_connection(session, installation_id)

    def _of_connection(self, environment_id: str, identifier: str) -> ConnectedInstallation:
        with self._database.reading() as session:
            found = connections.with_installation(session, environment_id, identifier)
        if found is None:
            raise unknown_connection(identifier)
        connection, installation, integration = found
        if installation is None:
            raise ReconnectNeeded(connection.status_reason or "")
        return ConnectedInstallation(connection, installation, integration)

    def _refreshed(self, stored: ConnectedInstallation, is_verified: bool) -> UsableToken:
        """Return a token that was read again after its refresh. Raises ReconnectNeeded if it has expired anyway."""
        if is_verified and self._has_expired(stored.installation):
            raise ReconnectNeeded(faults.reason("token_expired"))
        return self._opened(stored, is_verified)

    def _opened(self, stored: ConnectedInstallation, is_verified: bool) -> UsableToken:
        installation = stored.installation
        credentials = self._tokens.without_secret(stored.integration)
        try:
            token = self._tokens.access_token(installation.id, installation.access_token)
        except VaultProblem as problem:
            # A repeated read shows the same: its status is computed, not stored, because the key may come back.
            raise ReconnectNeeded(problem.sentence) from problem
        return UsableToken(credentials, token, installation, is_verified)

    def _needs_refresh(self, installation: Installation, renew: bool = False) -> bool:
        if installation.refresh_token is None:
            return False
        return renew or self._has_expired(installation, _EXPIRES_SOON)

    def _has_expired(self, installation: Installation, within: timedelta = timedelta()) -> bool:
        expires_at = installation.expires_at
        return expires_at is not None and expires_at - within <= self._now()

    def _refresh_once(self, stored: ConnectedInstallation) -> bool:
        """Refresh the token, or wait for a concurrent refresh. Return False if that turned out to be unnecessary."""
        at, installation = self._now(), stored.installation
        with self._database.transaction() as session:
            is_claimed = installations.claim_refresh(session, installation.id, at, at - _CLAIM_LIFETIME)
            # Another process may have refreshed the token since it was read.
            current = installations.by_id(session, installation.environment_id, installation.id)
        if current is None or not is_claimed:
            self._wait_for_refresh(installation)
            return True
        if current.refresh_token is None or self._is_fresh(current):
            self._release_claim(current)
            return False
        self._refresh(replace(stored, installation=current), current.refresh_token)
        return True

    def _refresh(self, stored: ConnectedInstallation, sealed: Sealed) -> None:
        """Exchange the refresh token for a new pair and store it. The caller holds the claim, which this releases."""
        installation = stored.installation
        # A token that cannot be refreshed is not tried again.
        columns: dict[str, Any] = {"refresh_claimed_at": None, "refresh_at": None}
        try:
            spent = self._tokens.refresh_token(installation.id, sealed)
        except VaultProblem:
            verdict = Verdict(_UNREADABLE, columns=columns)
            self._verdicts.record(installation, lambda now: now.refresh_token == sealed, verdict)
            raise ReconnectNeeded(_UNREADABLE) from None
        try:
            pair = self._gateway.refresh(self._tokens.app_credentials(stored.integration), spent)
        except SlackRefused as refusal:
            verdict = Verdict(faults.reason(refusal.code), columns=columns)
        except Problem:
            self._release_claim(installation)
            raise
        else:
            columns |= self._renewed(installation.id, spent, pair)
            # Only a check shows in which workspaces an organization's token works.
            verdict = Verdict(None, pair.workspace_id, pair.is_for_organization, columns=columns)

        def is_current(now: Installation) -> bool:
            token = now.refresh_token
            return token is not None and self._tokens.refresh_token(now.id, token) == spent

        finding = verdict.in_workspace(stored.connection.workspace_id)
        if self._verdicts.record(installation, is_current, verdict) and finding and finding.broken:
            raise ReconnectNeeded(finding.broken)

    def _renewed(self, installation_id: str, spent: str, pair: Refreshed) -> dict[str, Any]:
        at = self._now()
        expires_at = at + timedelta(seconds=pair.expires_in) if pair.expires_in else None
        columns = self._tokens.sealed(installation_id, pair.access_token, pair.refresh_token or spent, expires_at, at)
        return {**columns, "token_since": at, "refreshed_at": at, "refresh_expires_at": None}

    def _is_unanswered(self, before: Installation, after: Installation) -> bool:
        """Return whether a refresh has ended without an answer of Slack: it changed nothing, and is still due."""
        is_unchanged = after.refresh_at is not None and after.refreshed_at == before.refreshed_at
        return is_unchanged and not self._is_fresh(after)

    def _is_fresh(self, installation: Installation) -> bool:
        refreshed_at = installation.refreshed_at
        return refreshed_at is not None and refreshed_at + _JUST_REFRESHED > self._now()

    def _release_claim(self, claimed: Installation) -> None:
        with self._database.transaction() as session:
            installations.release_refresh(session, claimed.id, claimed.refresh_claimed_at)

    def _wait_for_refresh(self, installation: Installation) -> None:
        """Poll until no process is refreshing the installation's token. Raises SlackDown if that takes too long."""
        for _ in range(_POLLS):
            with self._database.reading() as session:
                found = installations.by_id(session, installation.environment_id, installation.id)
            if found is None or found.refresh_claimed_at is None:
                if found is not None and self._is_unanswered(installation, found):
                    raise SlackDown("Slack did not answer when the token was refreshed.")
                return
            self._gateway.wait(_POLL_SECONDS)
        raise SlackDown("The token is being refreshed, and Slack has not answered yet.")
