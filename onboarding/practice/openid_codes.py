"""The codes of Sign in with Slack that were not used yet. They end with the process."""

from dataclasses import dataclass, field
from threading import Lock

from onboarding.practice.ledger import new_code
from onboarding.practice.workspaces import Workspace

KEPT_CODES = 1_000


@dataclass(frozen=True)
class OpenIdCode:
    """A code, usable once."""

    client_id: str
    workspace: Workspace
    redirect_uri: str
    nonce: str
    scenario: str
    scopes: tuple[str, ...]
    expires_at: float


@dataclass
class OpenIdCodes:
    """Safe to use from several threads."""

    _codes: dict[str, OpenIdCode] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def issue(self, code: OpenIdCode) -> str:
        value = new_code()
        with self._lock:
            self._codes[value] = code
            for old in list(self._codes)[:-KEPT_CODES]:
                del self._codes[old]
        return value

    def spend(self, value: str) -> OpenIdCode | None:
        with self._lock:
            return self._codes.pop(value, None)

    def clear(self) -> None:
        with self._lock:
            self._codes.clear()
