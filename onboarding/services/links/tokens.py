"""The tokens of links: a link's id and a signature made with SECRET_KEY.

So the database contains no secret of a link, and a page can show the address of a link again.
"""

from onboarding.errors import LinkProblem
from onboarding.outcomes import Outcome
from onboarding.settings import Settings
from onboarding.signing import IdSigner


class LinkTokens:
    def __init__(self, settings: Settings) -> None:
        self._origin, self._signer = settings.origin, IdSigner(settings.signing_keys, "link")

    def url(self, link_id: str) -> str:
        return self.url_of(self.token(link_id))

    def url_of(self, token: str) -> str:
        return f"{self._origin}/connect/{token}"

    def token(self, link_id: str) -> str:
        return self._signer.sign(link_id)

    def read(self, token: str) -> str:
        """Return the link's id. Raises LinkProblem `link_tampered` if the signature is invalid."""
        try:
            return self._signer.read(token)
        except ValueError:
            raise LinkProblem(Outcome.LINK_TAMPERED) from None
