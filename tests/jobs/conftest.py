"""A site that is swept while its clock moves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from onboarding.jobs import sweep
from tests.browser_client import Site


@contextmanager
def sweeping(site: Site, processes: int = 1) -> Iterator[None]:
    ends = [sweep.start(site.runtime, every=0.05, first_after=0.01) for _ in range(processes)]
    try:
        yield
    finally:
        for end in ends:
            end.set()
        # The current round must end before the database is closed.
        for thread in threading.enumerate():
            if thread.name == "sweep":
                thread.join(20)
