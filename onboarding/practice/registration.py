"""What an app has told Slack about itself: its registration, as the practice Slack needs it."""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class PracticeApp:
    """One registered app. Several client secrets are valid at once while one is being replaced."""

    client_id: str
    client_secrets: tuple[str, ...] = field(repr=False)
    signing_secret: str = field(repr=False)
    name: str
    redirect_urls: tuple[str, ...]

    @property
    def app_id(self) -> str:
        return slack_id("A", self.client_id)

    def has_secret(self, secret: str) -> bool:
        return any(hmac.compare_digest(secret.encode(), known.encode()) for known in self.client_secrets)

    def accepts_redirect(self, address: str) -> bool:
        """A registered address is a prefix: itself and the paths below it, on the same scheme, host and port."""
        try:
            return any(_lies_below(address, registered) for registered in self.redirect_urls)
        except ValueError:  # A port that is not a number, a half bracket around an IPv6 address.
            return False


Apps = Callable[[str], PracticeApp | None]


def slack_id(letter: str, *parts: str) -> str:
    """An id that looks like Slack's and is the same for the same parts, so that restarts and resets do not change it."""
    digest = hashlib.sha256("|".join((letter, *parts)).encode()).digest()
    return letter + "0" + b32encode(digest).decode()[:9]


def _lies_below(address: str, registered: str) -> bool:
    call, known = urlsplit(address), urlsplit(registered)
    same_place = (call.scheme, call.hostname, call.port) == (known.scheme, known.hostname, known.port)
    clean = not call.fragment and call.username is None and "\\" not in address and ".." not in call.path.split("/")
    path = call.path or "/"
    return same_place and clean and (path == (known.path or "/") or path.startswith(known.path.rstrip("/") + "/"))
