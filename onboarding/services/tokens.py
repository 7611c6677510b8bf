"""Tokens and secrets: how they are sealed and opened, and with whose credentials Slack is asked. Any service may call it."""

from datetime import datetime

from onboarding.sealed import Sealed
from onboarding.settings import Settings
from onboarding.slack.gateway import Credentials
from onboarding.store.integrations import Integration
from onboarding.vault import SealedAt, Vault

_SHORTEST_TO_SHOW = 12


class Tokens:
    def __init__(self, vault: Vault, settings: Settings, practice: tuple[str, str]) -> None:
        """Args: practice: where the practice Slack's pages and API are."""
        self._vault, self._settings, self._practice = vault, settings, practice

    def credentials(self, integration: Integration) -> Credentials:
        """Raises VaultProblem when the client secret does not open."""
        secret = self._vault.open(integration.client_secret, SealedAt("integrations", "client_secret", integration.id))
        if integration.is_practice:
            return Credentials(integration.client_id, secret, *self._practice)
        return Credentials(integration.client_id, secret, self._settings.slack_url, self._settings.slack_api)

    def sealed(
        self, installation_id: str, access_token: str, refresh_token: str | None, expires_at: datetime | None
    ) -> dict[str, object]:
        """The columns of an installation that hold its token."""
        seal = self._vault.seal
        return {
            "access_token": seal(access_token, SealedAt("installations", "access_token", installation_id)),
            # Of a short token four characters would be too much of it.
            "token_last_four": access_token[-4:] if len(access_token) >= _SHORTEST_TO_SHOW else "",
            "refresh_token": seal(refresh_token, SealedAt("installations", "refresh_token", installation_id))
            if refresh_token
            else None,
            "expires_at": expires_at,
        }

    def access_token(self, installation_id: str, sealed: Sealed) -> str:
        """Raises VaultProblem."""
        return self._vault.open(sealed, SealedAt("installations", "access_token", installation_id))

    def refresh_token(self, installation_id: str, sealed: Sealed) -> str:
        """Raises VaultProblem."""
        return self._vault.open(sealed, SealedAt("installations", "refresh_token", installation_id))

    def fingerprints(self, secret: str) -> tuple[str, ...]:
        return self._vault.fingerprints(secret)
