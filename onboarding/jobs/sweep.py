"""What is due, in every serving process and in `flask --app app sweep`: grants that waited too long go back to Slack,
attempts whose process died end, and what nobody needs any more is removed."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import structlog

from onboarding.errors import StorageProblem
from onboarding.runtime import Runtime

EVERY_SECONDS = 30
#: A process that has just begun does not listen yet, and its practice Slack could not take a grant back.
FIRST_AFTER_SECONDS = 3
#: How many batches a round takes of each step: the grants of the next round do not wait for a big table.
BATCHES = 20
#: SQLite lets one writer in at a time, and who waits in another process looks only now and then.
PAUSE_SECONDS = 0.02
_LOG = structlog.get_logger(__name__)
_chance = secrets.SystemRandom()


@dataclass(frozen=True)
class Step:
    """What came of one step. `count` is None where it failed; what it did until then is done."""

    name: str
    words: str
    count: int | None
    fault: Exception | None


def once(runtime: Runtime, batches: int | None = None) -> tuple[Step, ...]:
    """Does what is due, `batches` of each step at most. A step that fails does not keep the others from it."""
    return (
        _take("ended", "Attempts ended", lambda: iter([runtime.installs.expire_overdue()]), batches),
        _take("attemptsPurged", "Attempts purged", runtime.retention.purge_attempts, batches),
        _take("answersPurged", "Answers purged", runtime.retention.purge_responses, batches),
        _take("signInsPurged", "Sign-ins purged", runtime.retention.purge_sign_ins, batches),
        _take("installationsErased", "Installations erased", runtime.retention.erase_orphaned_installations, batches),
    )


def start(runtime: Runtime, every: float = EVERY_SECONDS, first_after: float = FIRST_AFTER_SECONDS) -> threading.Event:
    """Sweeps until the event is set, in a thread that ends with the process.

    Each process may do it: what must happen once is a conditional UPDATE, and what is removed is held first.
    """
    ended = threading.Event()
    threading.Thread(target=_keep, args=(runtime, every, first_after, ended), name="sweep", daemon=True).start()
    return ended


def _take(name: str, words: str, step: Callable[[], Iterator[int]], batches: int | None) -> Step:
    done = 0
    try:
        for count in islice(step(), batches):
            done += count
            if count:
                time.sleep(PAUSE_SECONDS)
    except Exception as fault:
        # Whatever it is, the other steps and the next round may be spared it.
        return Step(name, words, None, fault)
    return Step(name, words, done, None)


def _keep(runtime: Runtime, every: float, first_after: float, ended: threading.Event) -> None:
    away, pause = frozenset[str](), first_after
    # Processes that began together do not all come at once.
    while not ended.wait(pause * _chance.uniform(0.8, 1.2)):
        pause = every
        away = _tell(once(runtime, BATCHES), away)


def _tell(steps: tuple[Step, ...], away: frozenset[str]) -> frozenset[str]:
    """Logs what failed. The steps for which the database is away: that is one line, however long it lasts."""
    gone = {one.name: one.fault for one in steps if isinstance(one.fault, StorageProblem)}
    if gone.keys() - away:
        _LOG.warning("sweep.database_gone", steps=",".join(gone), problem=next(iter(gone.values())).sentence)
    for one in steps:
        if one.fault is not None and one.name not in gone:
            # A message may quote what must not be logged.
            _LOG.error("sweep.failed", step=one.name, kind=type(one.fault).__name__)
    return frozenset(gone)
