"""Order the threads of this process that write to one SQLite file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from onboarding import concurrency
from onboarding.errors import StorageProblem


class WriteLock:
    """A lock that serves threads in order of arrival.

    SQLite admits one writer at a time. The thread that holds this lock may still have to wait for a writer of another
    process: see `engine.begin`.
    """

    def __init__(self) -> None:
        self._semaphore = concurrency.FairSemaphore(1)

    @contextmanager
    def held(self, deadline: float) -> Iterator[None]:
        """Hold the lock. Raises StorageProblem after `deadline`, a time of `time.monotonic`."""
        if not self._semaphore.acquire(0):
            # Other threads wait for this lock, so its holder must not wait for a request slot.
            with concurrency.slot_released(wait_again=False):
                acquired = self._semaphore.acquire(max(0.0, deadline - time.monotonic()))
            if not acquired:
                raise StorageProblem("The database is busy.")
        try:
            yield
        finally:
            self._semaphore.release()
