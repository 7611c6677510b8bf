"""Whether a connection still works: asked of Slack, never guessed. A fault on the way to Slack breaks nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from onboarding import concurrency
from onboarding.clock import Clock
from onboarding.errors import Problem, SlackDown, SlackRefused, unknown_connection
from onboarding.services.tokens import Tokens
from onboarding.slack import faults
from onboarding.slack.gateway import Gateway
from onboarding.slack.grants import Refreshed
from onboarding.store import connections, installations, integrations
from onboarding.store.database import Database
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration

#: A process that claimed a refresh and has not come back by then has died.
_CLAIM_LIFE = timedelta(seconds=60)
#: A token that was refreshed so lately is not refreshed again.
_FRESH = timedelta(seconds=10)
_LOOKS, _LOOK_SECONDS = 60, 0.2
_Still = Callable[[Installation], bool]


class ConnectionVerifier:
    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self._database, self._tokens, self._gateway, self._now = database, tokens, gateway, now
        self._pause = threading.Event()

    def verify(self, environment_id: str, identifier: str) -> None:
        """Asks Slack now, and notes what it said on every connection that shares the token.

        A token that rotates is refreshed, once however many ask. Raises NotFound, VaultProblem, and SlackBusy or
        SlackDown when Slack could not be asked: then nothing changes.
        """
        with self._database.reading() as session:
            found = connections.with_its_grant(session, environment_id, identifier)
        if found is None:
            raise unknown_connection(identifier)
        connection, installation, integration = found
        if installation.refresh_token is None:
            self._ask(integration, installation, connection.workspace_id)
        else:
            self._refresh_once(integration, installation, connection.workspace_id)

    def _ask(self, integration: Integration, installation: Installation, workspace_id: str) -> None:
        token = self._tokens.access_token(installation.id, installation.access_token)

        def is_there_still(now: Installation) -> bool:
            # Slack may have given the same token anew, and it is good again.
            return now.installed_at == installation.installed_at

        try:
            place = self._gateway.test(self._tokens.credentials(integration), token)
        except SlackRefused as refusal:
            self._note(installation, is_there_still, refusal)
        else:
            broken = None if place == workspace_id else faults.of_another_workspace(place)
            self._tell(installation, is_there_still, broken)

    def _refresh_once(self, integration: Integration, installation: Installation, workspace_id: str) -> None:
        at = self._now()
        with self._database.transaction() as session:
            mine = installations.claim_refresh(session, installation.id, at, at - _CLAIM_LIFE)
            # What stands there now: another process may have refreshed since it was read.
            current = installations.by_id(session, integration.environment_id, installation.id)
        if current is None or not mine:
            self._wait_for(integration.environment_id, installation.id)
        elif current.refreshed_at is not None and current.refreshed_at + _FRESH > at:
            # Somebody has just done it. Whether it works still, is asked: much may happen in that time.
            self._free(current)
            self._ask(integration, current, workspace_id)
        else:
            self._refresh(integration, current, workspace_id)

    def _refresh(self, integration: Integration, installation: Installation, workspace_id: str) -> None:
        """With the claim in hand. Until the new pair is stored nobody uses it."""
        sealed = installation.refresh_token
        if sealed is None:
            self._free(installation)
            return

        def is_there_still(now: Installation) -> bool:
            there = now.refresh_token
            return there is not None and self._tokens.refresh_token(now.id, there) == token

        try:
            token = self._tokens.refresh_token(installation.id, sealed)
            told = self._gateway.refresh(self._tokens.credentials(integration), token)
        except SlackRefused as refusal:
            if faults.is_slack_itself(refusal.code):
                self._free(installation)
            self._note(installation, is_there_still, refusal, {"refresh_claimed_at": None})
        except Problem:
            self._free(installation)
            raise
        else:
            broken = None if told.place in (None, workspace_id) else faults.of_another_workspace(told.place)
            renewed = self._renewed(installation.id, token, told)
            self._tell(installation, is_there_still, broken, {"refresh_claimed_at": None, **renewed})

    def _renewed(self, installation_id: str, spent: str, told: Refreshed) -> dict[str, Any]:
        at = self._now()
        expires_at = at + timedelta(seconds=told.expires_in) if told.expires_in else None
        columns = self._tokens.sealed(installation_id, told.access_token, told.refresh_token or spent, expires_at)
        return {**columns, "installed_at": at, "refreshed_at": at, "refresh_expires_at": None}

    def _note(
        self,
        installation: Installation,
        is_there_still: _Still,
        refusal: SlackRefused,
        more: dict[str, Any] | None = None,
    ) -> None:
        if faults.is_slack_itself(refusal.code):
            raise SlackDown("Slack had trouble of its own.")
        self._tell(installation, is_there_still, faults.reason(refusal.code), more)

    def _tell(
        self, installation: Installation, is_there_still: _Still, broken: str | None, more: dict[str, Any] | None = None
    ) -> None:
        """`broken`: why the connections on it do not work, in words; None where they do.

        What Slack said is of the token that it was asked about. Nothing is told where another one took its place meanwhile.
        """
        status = "needs_reconnect" if broken else "healthy"
        with self._database.transaction() as session:
            # A connection that ends at this moment takes its own row first and the grant's last.
            integrations.share(session, installation.integration_id)
            current = installations.by_id(session, installation.environment_id, installation.id)
            if current is None or not is_there_still(current):
                return
            if more:
                installations.change(session, installation.id, **more)
            said = {"status": status, "status_reason": broken, "checked_at": self._now()}
            connections.change_all_on(session, installation.id, **said)

    def _free(self, claimed: Installation) -> None:
        with self._database.transaction() as session:
            installations.free_refresh(session, claimed.id, claimed.refresh_claimed_at)

    def _wait_for(self, environment_id: str, installation_id: str) -> None:
        """Another process refreshes just now: its answer is ours, too. Raises SlackDown when it takes too long."""
        for _ in range(_LOOKS):
            with self._database.reading() as session:
                found = installations.by_id(session, environment_id, installation_id)
            if found is None or found.refresh_claimed_at is None:
                return
            with concurrency.slot_released():
                self._pause.wait(_LOOK_SECONDS)
        raise SlackDown("The token is being refreshed, and Slack has not answered yet.")
