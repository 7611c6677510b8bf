"""The tokens of links: a link's id and a signature made with SECRET_KEY.

So the database contains no secret of a link, and a page can show the address of a link again.
"""

import hashlib

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from onboarding.errors import LinkProblem
from onboarding.outcomes import Outcome
from onboarding.settings import Settings


class LinkTokens:
    def __init__(self, settings: Settings) -> None:
        self._origin = settings.origin
        # itsdangerous signs with the last key and accepts them all.
        keys = list(reversed(settings.signing_keys))
        self._signer = Signer(keys, salt="onboarding.link", key_derivation="hmac", digest_method=hashlib.sha256)

    def url(self, link_id: str) -> str:
        return self.url_of(self.token(link_id))

    def url_of(self, token: str) -> str:
        return f"{self._origin}/connect/{token}"

    def token(self, link_id: str) -> str:
        return self._signer.sign(link_id.encode()).decode()

    def read(self, token: str) -> str:
        """Return the link's id. Raises LinkProblem `link_tampered` if the signature is invalid."""
        try:
            found, signature = self._signer.unsign(token.encode()).decode(), token.rpartition(".")[2]
            # The last character of base64 has bits that do not count.
            if base64_encode(base64_decode(signature)).decode() != signature:
                raise BadSignature("not canonical")
            return found
        except (BadSignature, UnicodeError):
            raise LinkProblem(Outcome.LINK_TAMPERED) from None
