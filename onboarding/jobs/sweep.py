"""What is due, in every serving process: grants that waited too long go back to Slack, attempts whose process died end."""

import secrets
import threading

import structlog

from onboarding.errors import StorageProblem
from onboarding.runtime import Runtime

EVERY_SECONDS = 30
#: A process that has just begun does not listen yet, and its practice Slack could not take a grant back.
FIRST_AFTER_SECONDS = 3
_LOG = structlog.get_logger(__name__)
_chance = secrets.SystemRandom()


def start(runtime: Runtime, every: float = EVERY_SECONDS, first_after: float = FIRST_AFTER_SECONDS) -> threading.Event:
    """Sweeps until the event is set, in a thread that ends with the process.

    Each process may do it: what must happen once is a conditional UPDATE.
    """
    ended = threading.Event()
    threading.Thread(target=_keep, args=(runtime, every, first_after, ended), name="sweep", daemon=True).start()
    return ended


def _keep(runtime: Runtime, every: float, first_after: float, ended: threading.Event) -> None:
    is_away, pause = False, first_after
    # Processes that began together do not all come at once.
    while not ended.wait(pause * _chance.uniform(0.8, 1.2)):
        pause = every
        try:
            runtime.choosing.expire_overdue()
            is_away = False
        except StorageProblem as problem:
            if not is_away:
                _LOG.warning("sweep.database_gone", problem=problem.sentence)
            is_away = True
        except Exception as fault:
            # Whatever it is, the next round may be spared it. A message may quote what must not be logged.
            _LOG.error("sweep.failed", kind=type(fault).__name__)
