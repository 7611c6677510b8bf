"""Recurring maintenance, in every serving process and as the command `sweep`.

It revokes grants that waited too long, ends attempts whose process died, and deletes what is no longer needed. Serving
processes also store when API keys were last used.
"""

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
#: A process that just started does not listen yet, so calls to its practice Slack would fail.
FIRST_AFTER_SECONDS = 3
#: The most batches of each step in a round, so that a large table does not delay the next round's revocations.
BATCHES = 20
#: The pause between batches, in which other writers get SQLite's lock.
PAUSE_SECONDS = 0.02
_LOG = structlog.get_logger(__name__)
_random = secrets.SystemRandom()


@dataclass(frozen=True)
class Step:
    """The result of one step."""

    name: str
    words: str
    #: None if the step failed. The batches before the failure are committed.
    count: int | None
    fault: Exception | None


def once(runtime: Runtime, batches: int | None = None) -> tuple[Step, ...]:
    """Run every step once, with at most `batches` of each. A step that fails does not stop the others."""
    retention = runtime.retention
    return (
        _run("ended", "Attempts ended", retention.end_attempts, batches),
        _run("attemptsPurged", "Attempts purged", retention.purge_attempts, batches),
        _run("linksPurged", "Links purged", retention.purge_links, batches),
        _run("answersPurged", "Answers purged", retention.purge_responses, batches),
        _run("signInsPurged", "Sign-ins purged", retention.purge_sign_ins, batches),
        _run("installationsErased", "Installations erased", retention.erase_orphaned_installations, batches),
    )


def start(runtime: Runtime, every: float = EVERY_SECONDS, first_after: float = FIRST_AFTER_SECONDS) -> threading.Event:
    """Start a daemon thread that sweeps until the returned event is set.

    Any number of processes may do so: a conditional UPDATE or a row lock makes sure that each row is handled once.
    """
    stop = threading.Event()
    threading.Thread(target=_loop, args=(runtime, every, first_after, stop), name="sweep", daemon=True).start()
    return stop


def _run(name: str, words: str, step: Callable[[], Iterator[int]], batches: int | None) -> Step:
    done = 0
    try:
        for count in islice(step(), batches):
            done += count
            if count:
                time.sleep(PAUSE_SECONDS)
    except Exception as error:
        return Step(name, words, None, error)
    return Step(name, words, done, None)


def _loop(runtime: Runtime, every: float, first_after: float, stop: threading.Event) -> None:
    failing, pause = frozenset[str](), first_after
    # Spreads processes that started at the same moment.
    while not stop.wait(pause * _random.uniform(0.8, 1.2)):
        pause = every
        _store_key_uses(runtime)
        failing = _log_failures(once(runtime, BATCHES), failing)


def _store_key_uses(runtime: Runtime) -> None:
    try:
        runtime.api_keys.store_uses()
    except Exception as error:
        # As in `_log_failures`: the thread must go on.
        _LOG.error("sweep.failed", step="keyUses", kind=type(error).__name__)


def _log_failures(steps: tuple[Step, ...], failing: frozenset[str]) -> frozenset[str]:
    """Log failed steps. Return the names of the steps that could not reach the database.

    `failing`: the names that the previous round returned. An outage of the database is logged once.
    """
    unreachable = {step.name: step.fault for step in steps if isinstance(step.fault, StorageProblem)}
    if unreachable.keys() - failing:
        problem = next(iter(unreachable.values())).sentence
        _LOG.warning("sweep.database_gone", steps=",".join(unreachable), problem=problem)
    for step in steps:
        if step.fault is not None and step.name not in unreachable:
            # The message is not logged, because it may quote a secret.
            _LOG.error("sweep.failed", step=step.name, kind=type(step.fault).__name__)
    return frozenset(unreachable)
