"""Authenticated encryption with a key ring: AES-256-GCM, newest key first.

The additional data names table, column and row, so that a value that was moved to another row cannot be opened.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onboarding.errors import VaultProblem
from onboarding.sealed import Sealed

_NONCE_BYTES = 12


@dataclass(frozen=True)
class SealedAt:
    """The table, column and row of a sealed value."""

    table: str
    column: str
    row: str

    def as_bytes(self) -> bytes:
        return "\x1f".join((self.table, self.column, self.row)).encode()


class Vault:
    """Seals values with the newest key, and opens them with the key that sealed them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Create a vault. `keys`: 32 random bytes each, newest first."""
        self._ring = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])
        self._fingerprint_keys = tuple(hashlib.sha256(b"onboarding fingerprint" + key).digest() for key in keys)

    @property
    def newest_key_id(self) -> str:
        """Return the id of the key that encrypts. It is no secret."""
        return self._newest

    def seal(self, plaintext: str, at: SealedAt) -> Sealed:
        nonce = os.urandom(_NONCE_BYTES)
        body = self._ring[self._newest].encrypt(nonce, plaintext.encode(), at.as_bytes())
        return Sealed(self._newest, nonce + body)

    def open(self, sealed: Sealed, at: SealedAt) -> str:
        """Decrypt a value. Raises VaultProblem if its key is missing, or the value was changed or moved."""
        key = self._ring.get(sealed.key_id)
        if key is None:
            raise VaultProblem("The key that encrypted this value is not in ENCRYPTION_KEYS.")
        nonce, body = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return key.decrypt(nonce, body, at.as_bytes()).decode()
        except (InvalidTag, ValueError) as error:
            raise VaultProblem("An encrypted value was changed or moved.") from error

    def fingerprints(self, text: str) -> tuple[str, ...]:
        """Return a keyed digest of a secret for each key, newest first, to find the secret without decrypting anything.

        Store the first and look for all of them: a value that was stored under an older key is found, too.
        """
        return tuple(hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self._fingerprint_keys)

    def __repr__(self) -> str:
        return f"Vault({len(self._ring)} keys)"


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"onboarding key id" + key).hexdigest()[:12]
