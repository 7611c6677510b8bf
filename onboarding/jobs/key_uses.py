"""Store when API keys were last used: a thread of each web process, twice a minute. The worker does not run it."""

import secrets
import threading

import structlog

from onboarding.runtime import Runtime

EVERY_SECONDS = 30
_LOG = structlog.get_logger(__name__)
_random = secrets.SystemRandom()


def start(runtime: Runtime, every: float = EVERY_SECONDS) -> threading.Event:
    """Start a daemon thread that stores uses until the returned event is set."""
    stop = threading.Event()
    threading.Thread(target=_loop, args=(runtime, every, stop), name="key-uses", daemon=True).start()
    return stop


def _loop(runtime: Runtime, every: float, stop: threading.Event) -> None:
    # Random, so that processes which started together do not write at the same moment.
    while not stop.wait(every * _random.uniform(0.8, 1.2)):
        try:
            runtime.api_keys.store_uses()
        except Exception as error:
            # The thread must go on. The message is not logged, because it may quote a secret.
            _LOG.error("key_uses.failed", kind=type(error).__name__)
