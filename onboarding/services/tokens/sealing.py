"""Encrypt and decrypt access tokens, refresh tokens and client secrets. Any service may use it."""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from onboarding import clock
from onboarding.clock import Clock
from onboarding.errors import VaultProblem
from onboarding.lifetimes import PREVIOUS_SECRET_LIFETIME
from onboarding.sealed import Sealed
from onboarding.settings import Settings
from onboarding.slack.gateway import AppCredentials
from onboarding.store.integrations import Integration, IntegrationRow
from onboarding.vault import SealedAt, Vault

_MIN_LENGTH_TO_SHOW = 12
_CHECK_EVERY = timedelta(days=1)
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
            secret = self._vault.open(
                integration.client_secret, SealedAt("integrations", "client_secret", integration.id)
            )
        except VaultProblem as problem:
            raise VaultProblem(
                f"The client secret of the integration {integration.identifier!r} cannot be decrypted: it is damaged, or "
                "ENCRYPTION_KEYS lacks its key."
            ) from problem
        return self._credentials(integration, secret, self._previous(integration))

    def _previous(self, integration: Integration | IntegrationRow) -> str | None:
        """Return the client secret before the last change while Slack may still accept it."""
        sealed, changed_at = integration.previous_client_secret, integration.client_secret_changed_at
        if sealed is None or changed_at is None or changed_at + PREVIOUS_SECRET_LIFETIME <= self._now():
            return None
        # The current secret is enough for most calls, so one that cannot be decrypted is left out.
        with suppress(VaultProblem):
            return self._vault.open(sealed, SealedAt("integrations", "previous_client_secret", integration.id))
        return None

    def without_secret(self, integration: Integration | IntegrationRow) -> AppCredentials:
        """Return the same as `app_credentials` without the client secret, for calls that a token authorizes."""
        return self._credentials(integration, "", None)

    def _credentials(
        self, integration: Integration | IntegrationRow, secret: str, previous: str | None
    ) -> AppCredentials:
        real = self._settings.slack_url, self._settings.slack_api
        slack_url, api_url = self._practice if integration.is_practice else real
        return AppCredentials(integration.client_id, secret, slack_url, api_url, previous)

    def sealed(
        self,
        installation_id: str,
        access_token: str,
        refresh_token: str | None,
        expires_at: datetime | None,
        at: datetime,
    ) -> dict[str, object]:
        """Return the values of an installation's columns: its tokens, and the times of the next refresh and check.

        `at`: now.
        """
        refresh = self._vault.seal(refresh_token, _refresh_token_of(installation_id)) if refresh_token else None
        return {
            "access_token": self._vault.seal(access_token, _access_token_of(installation_id)),
            # Four characters of a short token would reveal too much of it.
            "token_last_four": access_token[-4:] if len(access_token) >= _MIN_LENGTH_TO_SHOW else "",
            "refresh_token": refresh,
            "expires_at": expires_at,
            "refresh_at": _refresh_time(at, expires_at) if refresh_token and expires_at else None,
            "check_at": next_check(at),
            "unanswered_since": None,
        }

    def access_token(self, installation_id: str, sealed: Sealed) -> str:
        """Decrypt an installation's access token. Raises VaultProblem."""
        return self._vault.open(sealed, _access_token_of(installation_id))

    def refresh_token(self, installation_id: str, sealed: Sealed) -> str:
        """Decrypt an installation's refresh token. Raises VaultProblem."""
        return self._vault.open(sealed, _refresh_token_of(installation_id))

    def fingerprints(self, secret: str) -> tuple[str, ...]:
        """Return a keyed digest of `secret` for each encryption key, the newest key's first."""
        return self._vault.fingerprints(secret)


def next_check(at: datetime) -> datetime:
    """Return when to check a token again: once a day, at any time, so that the checks spread over the day."""
    return at + _CHECK_EVERY * _random.uniform(0.5, 1.0)


def _refresh_time(at: datetime, expires_at: datetime) -> datetime:
    """Return a time shortly before two thirds of the token's lifetime have passed."""
    return at + (expires_at - at) * _random.uniform(0.6, 2 / 3)


def _access_token_of(installation_id: str) -> SealedAt:
    return SealedAt("installations", "access_token", installation_id)


def _refresh_token_of(installation_id: str) -> SealedAt:
    return SealedAt("installations", "refresh_token", installation_id)
