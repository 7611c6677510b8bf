"""The registration of a Slack app: its ids, secrets and redirect URLs."""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class PracticeApp:
    """One registered app. Several client secrets are valid at once during a rotation."""

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
        """Return whether `address` has the scheme, host and port of a registered URL, and its path or one below it."""
        try:
            return any(_lies_below(address, registered) for registered in self.redirect_urls)
        except ValueError:  # An invalid port, or an unclosed bracket around an IPv6 address.
            return False


Apps = Callable[[str], PracticeApp | None]


def slack_id(letter: str, *parts: str) -> str:
    """Return an id in Slack's format, derived from `parts`, so that restarts and resets do not change it."""
    digest = hashlib.sha256("|".join((letter, *parts)).encode()).digest()
    return letter + "0" + b32encode(digest).decode()[:9]


def _lies_below(address: str, registered: str) -> bool:
    asked, known = urlsplit(address), urlsplit(registered)
    is_same_origin = (asked.scheme, asked.hostname, asked.port) == (known.scheme, known.hostname, known.port)
    clean = not asked.fragment and asked.username is None and "\\" not in address and ".." not in asked.path.split("/")
    path = asked.path or "/"
    return is_same_origin and clean and (path == (known.path or "/") or path.startswith(known.path.rstrip("/") + "/"))
