"""GivenCredentials: store the tokens that API callers send with a connection."""

from datetime import datetime

from onboarding import ids
from onboarding.errors import VaultProblem
from onboarding.sealed import Sealed
from onboarding.services.connections.records import Auth
from onboarding.services.tokens.sealing import Tokens
from onboarding.store import installations
from onboarding.store.database import Rows


class GivenCredentials:
    """A refresh token is single-use, so connections with the same one share an installation."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def installation_of(self, rows: Rows, integration_id: str, auth: Auth) -> str | None:
        """Return the id of the installation that got the refresh token of `auth`, if there is one."""
        found = installations.by_fingerprint(rows, integration_id, self._fingerprints(auth))
        return found.id if found else None

    def store(self, rows: Rows, environment_id: str, integration_id: str, auth: Auth, at: datetime) -> str:
        """Store the credentials and return the id of their installation.

        If the server has already used a refresh token that connections share, the installation keeps its newer tokens.
        """
        fingerprints = self._fingerprints(auth)
        found = installations.by_fingerprint(rows, integration_id, fingerprints)
        row_id = found.id if found else ids.new_id("ins")
        # A token that rotates and has no expiry counts as expired, so it is refreshed before its first use.
        expires_at = auth.expires_at or (at if auth.refresh_token else None)
        values = {
            **self._tokens.sealed(row_id, auth.access_token, auth.refresh_token, expires_at, at),
            "refresh_expires_at": auth.refresh_expires_at,
            "refresh_fingerprint": fingerprints[0] if fingerprints else None,
            "token_since": at,
        }
        if found is None:
            installations.add_sent(
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

    def _fingerprints(self, auth: Auth) -> tuple[str, ...]:
        return self._tokens.fingerprints(auth.refresh_token) if auth.refresh_token else ()

    def _is_current(self, installation_id: str, sealed: Sealed, given: str | None) -> bool:
        """Return whether the caller's refresh token is the stored one, or the stored one cannot be decrypted."""
        try:
            return self._tokens.refresh_token(installation_id, sealed) == given
        except VaultProblem:
            return True
