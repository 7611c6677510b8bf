"""Order the threads of this process that write to one SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager

from onboarding import concurrency
from onboarding.errors import StorageProblem

_MAX_WAIT_SECONDS = 10.0


class WriteLock:
    """A lock that serves threads in order of arrival.

    SQLite admits one writer at a time. The thread that holds this lock may still have to wait for a writer of another
    process: see `engine.begin`.
    """

    def __init__(self, timeout: float = _MAX_WAIT_SECONDS) -> None:
        self._timeout = timeout
        self._semaphore = concurrency.FairSemaphore(1)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Raises StorageProblem after `timeout` seconds."""
        if not self._semaphore.acquire(0):
            # Other threads wait for this lock, so its holder must not wait for a request slot.
            with concurrency.slot_released(wait_again=False):
                acquired = self._semaphore.acquire(self._timeout)
            if not acquired:
                raise StorageProblem("The database is busy.")
        try:
            yield
        finally:
            self._semaphore.release()
