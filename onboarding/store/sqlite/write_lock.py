"""Order the threads of this process that write to one SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager

from onboarding import concurrency
from onboarding.errors import StorageProblem

_MAX_WAIT_SECONDS = 10.0


class WriteLock:
    """A lock that serves threads in order of arrival.

    SQLite admits one writer at a time. A writer that finds it busy sleeps for a tenth of a second at most and tries
    again, so that later writers overtake it. Across processes that is still the rule: SQLite's own lock and its busy
    timeout decide.
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
