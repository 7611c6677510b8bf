"""The secrets that bind an attempt to a browser, and their digests."""

import hashlib
import hmac
from collections.abc import Callable

from onboarding.store.attempts import AttemptRow

#: Begins the browser's secret of an attempt that was started without the link (see `restart.py`).
UNOPENED_PREFIX = "unopened."
#: Returns this browser's secret for an attempt id; None if it has none.
BindingOf = Callable[[str], str | None]


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def state_digest(state: str) -> str:
    return digest(f"state:{state}")


def is_bound(attempt: AttemptRow, binding: str | None) -> bool:
    """Return whether the browser that holds `binding` started the attempt."""
    return binding is not None and hmac.compare_digest(attempt.binding_digest, digest(binding))


def is_unopened(binding: str | None) -> bool:
    """Return whether a browser's secret belongs to an attempt that was started without the link."""
    return binding is not None and binding.startswith(UNOPENED_PREFIX)
