"""Wait for an action of another thread or process."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    latest = time.monotonic() + seconds
    while not holds() and time.monotonic() < latest:
        time.sleep(0.02)
    return holds()
