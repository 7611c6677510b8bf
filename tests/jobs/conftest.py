"""A site that is swept while its clock moves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from onboarding.jobs.sweep import Sweeper
from tests.browser_client import Site


@contextmanager
def sweeping(site: Site, workers: int = 1) -> Iterator[None]:
    """Sweep again and again, as workers do."""
    stop = threading.Event()

    def sweep(sweeper: Sweeper) -> None:
        while not stop.wait(0.05):
            sweeper.sweep()

    threads = [threading.Thread(target=sweep, args=(Sweeper(site.runtime),)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        # The current round must end before the database is closed.
        for thread in threads:
            thread.join(20)
