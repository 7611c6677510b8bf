"""Sign ids that are in addresses: an id, a dot and the signature."""

import hashlib
from collections.abc import Sequence

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode


class IdSigner:
    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        """Create a signer. `keys`: newest first. A token of one purpose is invalid for every other."""
        # itsdangerous signs with the last key and accepts them all.
        self._signer = Signer(
            list(reversed(keys)), salt=f"onboarding.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def sign(self, identifier: str) -> str:
        return self._signer.sign(identifier.encode()).decode()

    def read(self, token: str) -> str:
        """Return the id. Raises ValueError if the signature is invalid."""
        try:
            found, signature = self._signer.unsign(token.encode()).decode(), token.rpartition(".")[2]
        except (BadSignature, UnicodeError):
            raise ValueError("The signature is invalid.") from None
        # The last character of base64 has bits that do not count.
        if base64_encode(base64_decode(signature)).decode() != signature:
            raise ValueError("The signature is not canonical.")
        return found
