"""Access tokens: how they are encrypted and decrypted, and how to get one that Slack accepts now. Any service may use it."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from onboarding import causes, changes, clock
from onboarding.callers import SYSTEM
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Problem, ReconnectNeeded, SlackDown, SlackRefused, VaultProblem, unknown_connection
from onboarding.events import EventDetails
from onboarding.lifetimes import PREVIOUS_SECRET_LIFETIME
from onboarding.outcomes import ConnectionStatus
from onboarding.sealed import Sealed
from onboarding.settings import Settings
from onboarding.slack import faults
from onboarding.slack.gateway import AppCredentials, Gateway
from onboarding.slack.grants import Refreshed
from onboarding.store import connection_changes, connections, grants, installations, integration_locks
from onboarding.store.connection_changes import ConnectionOfInstallation
from onboarding.store.database import Database, Rows
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration, IntegrationRow
from onboarding.vault import SealedAt, Vault

_SHORTEST_TO_SHOW = 12
#: A token that expires sooner is refreshed before its use.
_EXPIRES_SOON = timedelta(minutes=5)
#: A token that was refreshed this recently is not refreshed again.
_JUST_REFRESHED = timedelta(seconds=10)
#: A process that holds a claim longer than this has died.
#: Slack accepts a spent refresh token for a short time only, so its next try must not wait long.
_CLAIM_LIFETIME = timedelta(seconds=20)
_CHECK_EVERY = timedelta(days=1)
_UNREACHABLE_AFTER = timedelta(hours=1)
#: Stored, because only a refresh notices it. An access token is decrypted whenever it is read, so its status is computed.
_UNREADABLE = "The stored refresh token cannot be decrypted: it is damaged, or ENCRYPTION_KEYS lacks its key. Connect the workspace again."
_POLLS, _POLL_SECONDS = 60, 0.2
_BROKEN = (ConnectionStatus.NEEDS_RECONNECT, ConnectionStatus.UNREACHABLE)
_random = secrets.SystemRandom()


class Tokens:
    def __init__(self, vault: Vault, settings: Settings, practice: tuple[str, str], now: Clock = clock.now) -> None:
        """Create the service. `practice`: the addresses of the practice Slack's pages and of its API."""
        self._vault, self._settings, self._practice, self._now = vault, settings, practice, now

    def app_credentials(self, integration: Integration | IntegrationRow) -> AppCredentials:
        """Return the Slack app's credentials and the addresses of its Slack.

        Raises VaultProblem if the client secret cannot be decrypted.
        """
        try:
            sealed, place = integration.client_secret, SealedAt("integrations", "client_secret", integration.id)
            opened = self._vault.open(sealed, place)
            return replace(
                self.without_secret(integration), client_secret=opened, previous_secret=self._previous(integration)
            )
        except VaultProblem as problem:
            raise VaultProblem(
                f"The client secret of the integration {integration.identifier!r} cannot be decrypted: it is damaged, or "
                "ENCRYPTION_KEYS lacks its key."
            ) from problem

    def _previous(self, integration: Integration | IntegrationRow) -> str | None:
        """Return the client secret before the last change while Slack may still accept it."""
        sealed, changed_at = integration.previous_client_secret, integration.client_secret_changed_at
        if sealed is None or changed_at is None or changed_at + PREVIOUS_SECRET_LIFETIME <= self._now():
            return None
        with suppress(VaultProblem):
            return self._vault.open(sealed, SealedAt("integrations", "previous_client_secret", integration.id))
        return None

    def without_secret(self, integration: Integration | IntegrationRow) -> AppCredentials:
        """Return what `app_credentials` does, without the client secret, for calls that a token authorizes."""
        real = self._settings.slack_url, self._settings.slack_api
        return AppCredentials(integration.client_id, "", *(self._practice if integration.is_practice else real))

    def sealed(
        self,
        installation_id: str,
        access_token: str,
        refresh_token: str | None,
        expires_at: datetime | None,
        at: datetime,
    ) -> dict[str, object]:
        """Return the columns of an installation that hold its tokens, encrypted, and what the worker does with them when.

        `at`: now.
        """
        seal = self._vault.seal
        return {
            "access_token": seal(access_token, SealedAt("installations", "access_token", installation_id)),
            # Four characters of a short token would reveal too much of it.
            "token_last_four": access_token[-4:] if len(access_token) >= _SHORTEST_TO_SHOW else "",
            "refresh_token": seal(refresh_token, SealedAt("installations", "refresh_token", installation_id))
            if refresh_token
            else None,
            "expires_at": expires_at,
            "refresh_at": _refresh_time(at, expires_at) if refresh_token and expires_at else None,
            "check_at": next_check(at),
            "unanswered_since": None,
        }

    def access_token(self, installation_id: str, sealed: Sealed) -> str:
        """Decrypt an installation's access token. Raises VaultProblem."""
        return self._vault.open(sealed, SealedAt("installations", "access_token", installation_id))

    def refresh_token(self, installation_id: str, sealed: Sealed) -> str:
        """Decrypt an installation's refresh token. Raises VaultProblem."""
        return self._vault.open(sealed, SealedAt("installations", "refresh_token", installation_id))

    def fingerprints(self, secret: str) -> tuple[str, ...]:
        """Return a keyed digest of `secret` for each encryption key, the newest key's first."""
        return self._vault.fingerprints(secret)


def next_check(at: datetime) -> datetime:
    """Return when to check a token again: once a day, at any time, so that the checks of a fleet spread over the day."""
    return at + _CHECK_EVERY * _random.uniform(0.5, 1.0)


def _refresh_time(at: datetime, expires_at: datetime) -> datetime:
    """Return a time shortly before two thirds of the token's lifetime have passed."""
    return at + (expires_at - at) * _random.uniform(0.6, 2 / 3)


@dataclass(frozen=True)
class Verdict:
    """Slack's answer about a token."""

    #: Why the token cannot be used; None if it can.
    broken: str | None
    #: The scopes that the token has now; None if Slack did not say.
    scopes: tuple[str, ...] | None = None
    #: Columns of the installation to change.
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class UsableToken:
    """An access token, and the Slack app and workspace to use it with."""

    #: Without the client secret.
    app: AppCredentials
    access_token: str = field(repr=False)
    #: The workspace or organization that the connection is for.
    workspace_id: str
    installation: Installation = field(repr=False)
    #: This call or a concurrent one has just asked Slack to refresh it.
    is_verified: bool


@dataclass(frozen=True)
class _Holder:
    """A connection's installation and integration, read together."""

    integration: Integration
    installation: Installation
    workspace_id: str


class TokenSource:
    """Usable access tokens for everything that calls Slack on behalf of a connection."""

    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now

    def usable(self, environment_id: str, identifier: str, renew: bool = False) -> UsableToken:
        """Return the access token of a connection, refreshed first if it rotates and expires within five minutes.

        `renew` refreshes a token that rotates even if it is valid for longer, unless that happened less than ten
        seconds ago. Callers in any number of threads and processes cause one request to Slack: one of them claims the
        refresh, the others wait for its result. The new pair is committed before it is returned.
        See https://docs.slack.dev/authentication/using-token-rotation.

        Raises NotFound, ReconnectNeeded if Slack has ended the access or the token cannot be renewed or decrypted (its
        connections then have the status `disconnected` or `needs_reconnect`), VaultProblem if a refresh needs a client secret that cannot be decrypted, and SlackBusy or
        SlackDown if Slack did not answer; the last three change nothing.
        """
        holder = self._holder(environment_id, identifier)
        return self._usable(holder, renew, lambda: self._holder(environment_id, identifier))

    def _usable(self, holder: _Holder, renew: bool, again: Callable[[], _Holder] | None = None) -> UsableToken:
        if not self._needs_refresh(holder.installation, renew):
            return self._opened(holder, is_verified=False)
        is_verified = self._refresh_once(holder)
        # The connection may have another installation by now.
        found = again() if again else self._holder_of_installation(holder.installation.id)
        if found is None:
            raise ReconnectNeeded("No connection uses the token any more.")
        holder = found
        if is_verified and self._has_expired(holder.installation):
            raise ReconnectNeeded(faults.reason("token_expired"))
        return self._opened(holder, is_verified)

    def record(
        self,
        installation: Installation,
        is_current: Callable[[Installation], bool],
        verdict: Verdict,
    ) -> bool:
        """Store Slack's verdict on a token, and record what it changes, in one transaction.

        The verdict applies to every connection that uses the installation. Returns False and changes nothing if the token
        that Slack was asked about has been replaced since, which `is_current` decides.
        """
        at, broken = self._now(), verdict.broken
        status = ConnectionStatus.NEEDS_RECONNECT if broken else ConnectionStatus.HEALTHY
        with self._database.transaction() as session:
            # Lock in the same order as a disconnect and an install: integration, installation, connections.
            integration_locks.share(session, installation.integration_id)
            current = installations.lock(session, installation.environment_id, installation.id)
            if current is None or not is_current(current):
                return False
            gained, lost = _difference(current.scopes, verdict.scopes)
            columns: dict[str, Any] = {"unanswered_since": None, **verdict.columns}
            if verdict.scopes is not None and (gained or lost or not current.scopes):
                columns["scopes"] = ",".join(verdict.scopes)
            installations.change(session, installation.id, **columns)
            before = connection_changes.all_on(session, installation.id)
            changed = connection_changes.change_all_on(
                session, installation.id, status=status, status_reason=broken, checked_at=at
            )
            for one in before:
                if one.id not in changed:
                    continue
                if broken and not one.status.is_broken:
                    _record(session, ChangeKind.CONNECTION_BROKEN, one, at, broken)
                elif not broken and one.status in _BROKEN:
                    _record(session, ChangeKind.CONNECTION_HEALED, one, at)
                # Of an API caller's token, the first check learns the permissions.
                if current.scopes and (gained or lost):
                    words = [f"+{scope}" for scope in gained] + [f"-{scope}" for scope in lost]
                    _record(session, ChangeKind.CONNECTION_PERMISSIONS_CHANGED, one, at, " ".join(words))
        return True

    def refresh_due(self, installation_id: str) -> None:
        """Refresh a token whose time has come, unless another process has done so.

        Raises ReconnectNeeded, VaultProblem, SlackBusy and SlackDown, as `usable` does.
        """
        holder = self._holder_of_installation(installation_id)
        if holder is None or holder.installation.refresh_at is None or holder.installation.refresh_at > self._now():
            return
        self._refresh_once(holder)

    def usable_of(self, installation_id: str) -> UsableToken | None:
        """Return the token of an installation, as `usable` does. None if no connection uses it any more."""
        holder = self._holder_of_installation(installation_id)
        return None if holder is None else self._usable(holder, renew=False)

    def note_unanswered(self, installation_id: str) -> None:
        """Store that Slack did not answer. After an hour of it, the connections that worked are unreachable.

        A fault of the network or of Slack says nothing about a token, so nothing else changes.
        """
        at, holder = self._now(), self._holder_of_installation(installation_id)
        if holder is None:
            return
        with self._database.transaction() as session:
            integration_locks.share(session, holder.integration.id)
            current = installations.lock(session, holder.installation.environment_id, installation_id)
            since = (current.unanswered_since if current is not None else None) or at
            installations.change(session, installation_id, unanswered_since=since)
            if at - since < _UNREACHABLE_AFTER:
                return
            reason = causes.UNANSWERED % {"time": f"{since:%Y-%m-%d %H:%M}"}
            for one in connection_changes.all_on(session, installation_id):
                if one.status in (ConnectionStatus.HEALTHY, ConnectionStatus.UNKNOWN):
                    changed = {"status": ConnectionStatus.UNREACHABLE, "status_reason": reason}
                    connection_changes.change(session, one.id, **changed)
                    _record(session, ChangeKind.CONNECTION_UNREACHABLE, one, at, reason)

    def _holder_of_installation(self, installation_id: str) -> _Holder | None:
        with self._database.reading() as session:
            found = grants.with_grant_of_installation(session, installation_id)
        if found is None:
            return None
        connection, installation, integration = found
        return _Holder(integration, installation, connection.workspace_id)

    def _holder(self, environment_id: str, identifier: str) -> _Holder:
        with self._database.reading() as session:
            found = connections.with_its_grant(session, environment_id, identifier)
        if found is None:
            raise unknown_connection(identifier)
        connection, installation, integration = found
        if installation is None:
            raise ReconnectNeeded(connection.status_reason or "")
        return _Holder(integration, installation, connection.workspace_id)

    def _opened(self, holder: _Holder, is_verified: bool) -> UsableToken:
        installation = holder.installation
        credentials = self._tokens.without_secret(holder.integration)
        try:
            token = self._tokens.access_token(installation.id, installation.access_token)
        except VaultProblem as problem:
            # A repeated read shows the same: its status is computed, not stored, because the key may come back.
            raise ReconnectNeeded(problem.sentence) from problem
        return UsableToken(credentials, token, holder.workspace_id, installation, is_verified)

    def _needs_refresh(self, installation: Installation, renew: bool) -> bool:
        if installation.refresh_token is None:
            return False
        return renew or self._has_expired(installation, _EXPIRES_SOON)

    def _has_expired(self, installation: Installation, within: timedelta = timedelta()) -> bool:
        expires_at = installation.expires_at
        return expires_at is not None and expires_at - within <= self._now()

    def _refresh_once(self, holder: _Holder) -> bool:
        """Refresh the token, or wait for a concurrent refresh. Return False if that turned out to be unnecessary."""
        at, installation = self._now(), holder.installation
        with self._database.transaction() as session:
            is_claimed = installations.claim_refresh(session, installation.id, at, at - _CLAIM_LIFETIME)
            # Another process may have refreshed the token since it was read.
            current = installations.by_id(session, installation.environment_id, installation.id)
        if current is None or not is_claimed:
            self._wait_for_refresh(installation)
            return True
        is_fresh = current.refreshed_at is not None and current.refreshed_at + _JUST_REFRESHED > at
        if current.refresh_token is None or is_fresh:
            self._release_claim(current)
            return False
        self._refresh(replace(holder, installation=current), current.refresh_token)
        return True

    def _refresh(self, holder: _Holder, sealed: Sealed) -> None:
        """Exchange the refresh token for a new pair and store it. The caller holds the claim, which this releases."""
        installation = holder.installation
        # Not again, unless it works out.
        columns: dict[str, Any] = {"refresh_claimed_at": None, "refresh_at": None}
        try:
            spent = self._tokens.refresh_token(installation.id, sealed)
        except VaultProblem:
            self.record(installation, lambda now: now.refresh_token == sealed, Verdict(_UNREADABLE, columns=columns))
            raise ReconnectNeeded(_UNREADABLE) from None
        try:
            pair = self._gateway.refresh(self._tokens.app_credentials(holder.integration), spent)
        except SlackRefused as refusal:
            if faults.is_slack_itself(refusal.code):
                self._release_claim(installation)
                raise SlackDown("Slack reported an error of its own.") from None
            broken: str | None = faults.reason(refusal.code)
        except Problem:
            self._release_claim(installation)
            raise
        else:
            broken = None
            if pair.workspace_id is not None and pair.workspace_id != holder.workspace_id:
                broken = faults.of_another_workspace(pair.workspace_id)
            columns |= self._renewed(installation.id, spent, pair)
            if broken:
                columns["refresh_at"] = None

        def is_current(now: Installation) -> bool:
            there = now.refresh_token
            return there is not None and self._tokens.refresh_token(now.id, there) == spent

        if self.record(installation, is_current, Verdict(broken, columns=columns)) and broken:
            raise ReconnectNeeded(broken)

    def _renewed(self, installation_id: str, spent: str, pair: Refreshed) -> dict[str, Any]:
        at = self._now()
        expires_at = at + timedelta(seconds=pair.expires_in) if pair.expires_in else None
        columns = self._tokens.sealed(installation_id, pair.access_token, pair.refresh_token or spent, expires_at, at)
        return {**columns, "installed_at": at, "refreshed_at": at, "refresh_expires_at": None}

    def _release_claim(self, claimed: Installation) -> None:
        with self._database.transaction() as session:
            installations.free_refresh(session, claimed.id, claimed.refresh_claimed_at)

    def _wait_for_refresh(self, installation: Installation) -> None:
        """Poll until no process is refreshing the installation's token. Raises SlackDown if that takes too long."""
        for _ in range(_POLLS):
            with self._database.reading() as session:
                found = installations.by_id(session, installation.environment_id, installation.id)
            if found is None or found.refresh_claimed_at is None:
                return
            self._gateway.wait(_POLL_SECONDS)
        raise SlackDown("The token is being refreshed, and Slack has not answered yet.")


def _difference(before: str, now: tuple[str, ...] | None) -> tuple[list[str], list[str]]:
    """Return the scopes that were gained and lost, sorted; none of both if Slack did not say what there is now."""
    if now is None:
        return [], []
    known = set(filter(None, before.split(",")))
    return sorted(set(now) - known), sorted(known - set(now))


def _record(rows: Rows, kind: ChangeKind, one: ConnectionOfInstallation, at: datetime, detail: str = "") -> None:
    name = one.workspace_name or one.workspace_id
    event = EventDetails("checked", reason=detail or None, previous={"status": one.status})
    changes.record(rows, Change(kind, SYSTEM, at, one.environment_id, one.identifier, name, detail=detail, event=event))
