"""Run the recurring maintenance, in the worker and as the command `sweep`.

It revokes grants that waited too long and other access that Slack has not revoked yet, ends attempts whose process
died, and deletes what is no longer needed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import structlog

from onboarding.errors import StorageProblem
from onboarding.jobs.definitions import Schedule
from onboarding.runtime import Runtime

#: A round runs this many batches of each step at most, so that a large table delays no revocations.
BATCHES = 20
#: The pause between batches, in which other writers get SQLite's lock.
PAUSE_SECONDS = 0.02
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StepResult:
    """The result of one step."""

    name: str
    label: str
    #: None if the step failed. The batches before the failure are committed.
    count: int | None
    fault: Exception | None


def run_steps(runtime: Runtime, batches: int | None = None) -> tuple[StepResult, ...]:
    """Run every step, with at most `batches` batches of each. A step that fails does not stop the others."""
    retention = runtime.retention
    return (
        _run("ended", "Attempts ended", retention.end_attempts, batches),
        _run("accessRevoked", "Access revoked", runtime.revocations.revoke_due, batches),
        _run("attemptsPurged", "Attempts deleted", retention.purge_attempts, batches),
        _run("linksPurged", "Links deleted", retention.purge_links, batches),
        _run("answersPurged", "Stored responses deleted", retention.purge_responses, batches),
        _run("eventsPurged", "Slack events deleted", retention.purge_slack_events, batches),
        _run("bulkActionsPurged", "Bulk actions deleted", retention.purge_bulk_runs, batches),
        _run("signInsPurged", "Sign-in links and sessions deleted", retention.purge_sign_ins, batches),
        _run("secretsErased", "Previous secrets erased", retention.erase_previous_secrets, batches),
        _run("installationsErased", "Installations erased", retention.erase_orphaned_installations, batches),
    )


def jobs(runtime: Runtime) -> tuple[Schedule, ...]:
    return (Schedule("sweep", "*/30 * * * * *", Sweeper(runtime).sweep),)


class Sweeper:
    """Run the maintenance once at each call of `sweep`.

    Any number of workers may do so at once: a conditional UPDATE or a row lock lets one of them handle each row.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        #: The steps that could not reach the database in the latest round.
        self._failing = frozenset[str]()

    def sweep(self) -> None:
        """Run a round. Failed steps are logged."""
        self._failing = _log_failures(run_steps(self._runtime, BATCHES), self._failing)


def _run(name: str, label: str, step: Callable[[], Iterator[int]], batches: int | None) -> StepResult:
    done = 0
    try:
        for count in islice(step(), batches):
            done += count
            if count:
                time.sleep(PAUSE_SECONDS)
    except Exception as error:
        return StepResult(name, label, None, error)
    return StepResult(name, label, done, None)


def _log_failures(steps: tuple[StepResult, ...], failing: frozenset[str]) -> frozenset[str]:
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
