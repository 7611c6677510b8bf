"""Run durable work with DBOS: https://docs.dbos.dev/python. Only `launch` starts it; web processes only enqueue.

A worker has a new id each time it starts, and reports every few seconds that it is alive. If it dies, another worker
runs its unfinished work again.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

import structlog
from dbos import DBOS, DBOSPortableJSONSerializer, error

from onboarding.errors import NotSetUp, StorageProblem
from onboarding.jobs import bulk, finished, slack_events, sweep, tokens, webhooks
from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime
from onboarding.work import APPLICATION, SCHEMA, Queue

#: Raise it only when the steps of a workflow change: waiting work of another version is not run.
VERSION = "1"
#: The modules that offer work.
MODULES: tuple[Any, ...] = (sweep, finished, slack_events, tokens, webhooks, bulk)
#: How much of a queue a worker runs at a time.
CONCURRENCY = {Queue.WEBHOOKS: 16, Queue.SLACK: 16, Queue.MAINTENANCE: 2}
BEAT_SECONDS = 5.0
#: How often a worker looks for new work of a queue. Each query takes about a millisecond, even without work.
_POLL_SECONDS = {Queue.WEBHOOKS: 1.0, Queue.SLACK: 1.0, Queue.MAINTENANCE: 3.0}
#: How long a worker that is asked to end waits for running work. Another worker continues what is left.
_END_SECONDS = 15
#: How often a step is tried while the database does not answer: for about five minutes.
_TRIES = 9
#: How often it is tried after any other fault. A schedule enqueues it again later if its rows say that it is not done.
_TRIES_AFTER_OTHER_FAULTS = 3
_LOG = structlog.get_logger(__name__)


class StepFailed(Exception):
    """A step raised an unexpected error. The message is only the error's class, because DBOS stores it."""


class _Steps:
    """Counts the steps that run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.running = 0

    @contextmanager
    def running_step(self) -> Iterator[None]:
        with self._lock:
            self.running += 1
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1


_steps = _Steps()


class Worker:
    """A running worker."""

    def __init__(self, runtime: Runtime, worker_id: str, beat_seconds: float, end_seconds: float) -> None:
        self._runtime, self._beat_seconds, self._end_seconds = runtime, beat_seconds, end_seconds
        self.id = worker_id
        #: Set when another worker considered this one dead. Its process must end.
        self.lost = threading.Event()
        self._ending = threading.Event()
        self._heartbeats = threading.Thread(target=self._send_heartbeats, name="heartbeat", daemon=True)
        self._heartbeats.start()

    def stop(self) -> bool:
        """End after the running work. Return False if that takes too long: then the caller must end the process."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=ceil(self._end_seconds))
        is_done = not _steps.running
        self._ending.set()
        self._heartbeats.join()
        if not self.lost.is_set():
            # The next heartbeat of another worker hands over what is left.
            self._runtime.workers.remove(self.id)
        return is_done

    def _send_heartbeats(self) -> None:
        while not self._ending.wait(self._beat_seconds):
            try:
                self._beat()
            except StorageProblem as problem:
                _LOG.warning("worker.database_gone", problem=problem.sentence)
            except Exception as fault:
                # The thread must go on. The message is not logged, because it may quote a secret.
                _LOG.error("worker.beat_failed", kind=type(fault).__name__)

    def _beat(self) -> None:
        roster = self._runtime.workers.beat(self.id)
        if roster is None:
            _LOG.error("worker.lost", worker=self.id)
            self.lost.set()
            self._ending.set()
        elif roster.is_first:
            _hand_over(roster.alive)
            for dead in roster.dead:
                _LOG.warning("worker.dead", worker=dead)
                self._runtime.workers.remove_dead(dead)


def set_up(runtime: Runtime) -> None:
    """Create or migrate DBOS's tables. Safe to repeat."""
    _configure_logs()
    DBOS.migrate(_url(runtime), schema=SCHEMA)


def launch(runtime: Runtime, beat_seconds: float = BEAT_SECONDS, end_seconds: float = _END_SECONDS) -> Worker:
    """Start to run work in threads of this process. Raises NotSetUp.

    `end_seconds`: how long `stop` waits for running work.
    """
    _configure_logs()
    worker_id = runtime.workers.add()
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": _url(runtime),
            "dbos_system_schema": SCHEMA,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": VERSION,
            "executor_id": worker_id,
            "run_migrations": False,
            # No workflow waits for DBOS's notifications, which it would otherwise look for a hundred times a second.
            "notification_coalesce_sec": 1.0,
            "db_engine_kwargs": {"hide_parameters": True},
            "log_level": "WARNING",
        }
    )
    schedules = _register(job for module in MODULES for job in module.jobs(runtime))
    try:
        DBOS.launch()
    except error.DBOSInitializationError:
        runtime.workers.remove(worker_id)
        raise NotSetUp("The tables of the worker are missing or old.") from None
    for queue, concurrency in CONCURRENCY.items():
        DBOS.register_queue(queue.value, worker_concurrency=concurrency, polling_interval_sec=_POLL_SECONDS[queue])
    DBOS.apply_schedules(schedules)
    _remove_old_schedules({one["schedule_name"] for one in schedules})
    return Worker(runtime, worker_id, beat_seconds, end_seconds)


def _hand_over(alive: frozenset[str]) -> None:
    """Enqueue the unfinished work of dead workers again.

    Work that a worker has dequeued in the meantime may be enqueued once more. DBOS then stores the steps of the latest
    run only.
    """
    for one in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
        if one.executor_id not in alive:
            _LOG.warning("work.handed_over", workflow=one.name, work=one.workflow_id, worker=one.executor_id)
            DBOS.resume_workflow(one.workflow_id, queue_name=one.queue_name)


def _register(offered: Iterable[Workflow | Schedule]) -> list[Any]:
    """Register all work and return DBOS's definitions of the schedules."""
    schedules = []
    for one in offered:
        if isinstance(one, Workflow):
            DBOS.workflow(name=one.name)(_called_with_arguments(one))
        else:
            started = DBOS.workflow(name=one.name)(_called_on_schedule(one))
            entry = {"schedule_name": one.name, "workflow_fn": started, "schedule": one.cron}
            schedules.append({**entry, "queue_name": Queue.MAINTENANCE.value})
    return schedules


def _called_with_arguments(job: Workflow) -> Callable[..., None]:
    def started(*arguments: Any) -> None:
        _run(job.name, lambda: job.run(*arguments))

    return started


def _called_on_schedule(job: Schedule) -> Callable[[Any, Any], None]:
    def started(_scheduled_at: Any, _context: Any) -> None:
        _run(job.name, job.run)

    return started


def _run(name: str, call: Callable[[], object]) -> None:
    """Run a step. It is repeated while the database does not answer, and a few times after any other fault."""
    faults = 0

    def step() -> None:
        try:
            with _steps.running_step():
                call()
        except StorageProblem:
            raise
        except Exception as fault:
            _LOG.error("work.failed", workflow=name, kind=type(fault).__name__)
            raise StepFailed(type(fault).__name__) from None

    def should_retry(raised: BaseException) -> bool:
        nonlocal faults
        if isinstance(raised, StorageProblem):
            return True
        faults += 1
        return faults < _TRIES_AFTER_OTHER_FAULTS

    DBOS.run_step({"name": name, "retries_allowed": True, "max_attempts": _TRIES, "should_retry": should_retry}, step)


def _remove_old_schedules(current: set[str]) -> None:
    """Remove the schedules of earlier versions."""
    for one in DBOS.list_schedules():
        if one["schedule_name"] not in current:
            DBOS.delete_schedule(one["schedule_name"])


def _url(runtime: Runtime) -> str:
    return runtime.database.url.render_as_string(hide_password=False)


def _configure_logs() -> None:
    """Let DBOS log warnings to our stream: without a handler, it would add one of its own."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
