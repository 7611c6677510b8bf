"""The secrets with which webhooks are signed, sealed in the database."""

import base64
import os

from onboarding.sealed import Sealed
from onboarding.vault import SealedAt, Vault

#: As https://www.standardwebhooks.com writes secrets.
_PREFIX = "whsec_"
_TABLE = "webhook_endpoints"


def new_secret() -> str:
    """Return 256 random bits in the form that libraries of Standard Webhooks read."""
    return _PREFIX + base64.b64encode(os.urandom(32)).decode()


class EndpointSecrets:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, endpoint_id: str, secret: str, *, is_previous: bool = False) -> Sealed:
        return self._vault.seal(secret, _sealed_at(endpoint_id, is_previous))

    def open(self, endpoint_id: str, sealed: Sealed, *, is_previous: bool = False) -> str:
        """Decrypt an endpoint's secret. Raises VaultProblem."""
        return self._vault.open(sealed, _sealed_at(endpoint_id, is_previous))


def _sealed_at(endpoint_id: str, is_previous: bool) -> SealedAt:
    return SealedAt(_TABLE, "previous_secret" if is_previous else "secret", endpoint_id)
