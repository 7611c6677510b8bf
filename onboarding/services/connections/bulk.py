"""Bulk runs: a worker checks, disconnects or creates reconnect links for many connections."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

import structlog

from onboarding import ids
from onboarding.callers import Actor, ActorKind
from onboarding.clock import Clock
from onboarding.documents import Connection
from onboarding.errors import NotFound, Problem, Refused, SlackBusy, SlackDown, StorageProblem, VaultProblem
from onboarding.outgoing import queue
from onboarding.services.connections.front import Connections
from onboarding.services.connections.records import ConsoleSearch
from onboarding.store import bulk as store
from onboarding.store.bulk import ItemRow, RunRow
from onboarding.store.database import Database, Rows
from onboarding.work import Queue, Work

#: The most connections of one run.
MAX_CONNECTIONS: Final = 1000
#: How many runs a list shows.
NEWEST: Final = 20
#: The workflow that continues a run: its argument is the run's id.
WORKFLOW: Final = "bulk"
#: How many connections one step of the worker handles. Then the next step is enqueued, so that a crash repeats little.
_AT_A_TIME = 25
#: How often a connection is tried while Slack asks us to wait, and how long at most each time.
_TRIES, _MAX_WAIT_SECONDS = 3, 30
#: If a run gets no new result for this long, its work was lost.
_LOST_AFTER = timedelta(minutes=10)
_LOG = structlog.get_logger(__name__)
#: Creates a link that reconnects the connection of an environment and an identifier, and returns the link's id.
CreateLink = Callable[[str, str, Actor], str]
#: Waits for as many seconds as Slack has asked for.
Wait = Callable[[float], None]


class BulkAction(StrEnum):
    CHECK = "check"
    LINK = "link"
    #: Starts only after the operator has confirmed it.
    DISCONNECT = "disconnect"


@dataclass(frozen=True)
class NewBulkRun:
    """The connections of a new run: those of `identifiers`, or with `search` all that match it."""

    action: BulkAction
    identifiers: tuple[str, ...] = ()
    search: ConsoleSearch | None = None


@dataclass(frozen=True)
class BulkSummary:
    id: str
    action: BulkAction
    actor: str
    total: int
    done: int
    created_at: datetime
    is_started: bool
    is_finished: bool


@dataclass(frozen=True)
class BulkReport:
    """A run with the result of each connection."""

    summary: BulkSummary
    items: tuple[ItemRow, ...]


class _Result(NamedTuple):
    code: str
    detail: str | None = None


class Bulk:
    def __init__(
        self, database: Database, connections: Connections, create_link: CreateLink, wait: Wait, now: Clock
    ) -> None:
        self._database, self._connections, self._now = database, connections, now
        self._create_link, self._wait = create_link, wait

    def create(self, environment_id: str, new: NewBulkRun, actor: Actor) -> str:
        """Store a run with its connections, and return its id. A run that disconnects waits for `start`.

        Raises Refused (`nothing_chosen`, `too_many`, or an unknown value of a filter).
        """
        chosen = self._chosen(environment_id, new)
        if not chosen:
            raise Refused("No connection is chosen.", code="nothing_chosen")
        if len(chosen) > MAX_CONNECTIONS:
            raise Refused(f"At most {MAX_CONNECTIONS:,} connections can be chosen at once.", code="too_many")
        run_id, at = ids.new_id("blk"), self._now()
        starts = new.action is not BulkAction.DISCONNECT
        run = {
            "id": run_id,
            "environment_id": environment_id,
            "action": new.action,
            "actor": str(actor),
            "total": len(chosen),
            "created_at": at,
            "started_at": at if starts else None,
            "worked_at": at if starts else None,
        }
        items = [{"run_id": run_id, "position": position, **_names(one)} for position, one in enumerate(chosen)]
        with self._database.changing_rows() as rows:
            store.add(rows, run, items)
            if starts:
                _enqueue(rows, run_id)
        return run_id

    def start(self, environment_id: str, run_id: str) -> None:
        """Start a run that waits for the operator's confirmation, unless it has started. Raises NotFound."""
        self.find(environment_id, run_id)
        with self._database.changing_rows() as rows:
            if store.start(rows, environment_id, run_id, self._now()):
                _enqueue(rows, run_id)

    def find(self, environment_id: str, run_id: str) -> BulkReport:
        """Return a bulk run with the result for each connection. Raises NotFound."""
        with self._database.rows() as rows:
            run = store.by_id(rows, environment_id, run_id)
            if run is None:
                sentence = "There is no such bulk action. Bulk actions are deleted after a week."
                raise NotFound(sentence, kind="Bulk action", name=run_id)
            items = tuple(store.items_of(rows, run_id))
        return BulkReport(_summary(run, sum(one.result is not None for one in items)), items)

    def newest(self, environment_id: str) -> tuple[BulkSummary, ...]:
        """Return the newest runs that were started."""
        with self._database.rows() as rows:
            runs = store.newest(rows, environment_id, NEWEST)
            return tuple(_summary(run, store.count_done(rows, run.id)) for run in runs)

    def work(self, run_id: str) -> None:
        """Handle the next connections of a run, and enqueue the rest. After a crash, it may be called again."""
        with self._database.rows() as rows:
            run = store.of_worker(rows, run_id)
            items = store.pending(rows, run_id, _AT_A_TIME)
        if run is None:
            return
        for item in items:
            result = self._handle(run, item.identifier)
            with self._database.changing_rows() as rows:
                store.save(rows, item._replace(result=result.code, detail=result.detail), run_id, self._now())
        with self._database.changing_rows() as rows:
            if store.pending(rows, run_id, 1):
                _enqueue(rows, run_id)
            else:
                store.finish(rows, run_id, self._now())

    def enqueue_lost(self) -> None:
        """Enqueue again the runs whose work was lost, for example because it failed unexpectedly."""
        at = self._now()
        with self._database.changing_rows() as rows:
            for run_id in store.overdue(rows, at - _LOST_AFTER, at):
                _LOG.warning("bulk.enqueued_again", run=run_id)
                _enqueue(rows, run_id)

    def _chosen(self, environment_id: str, new: NewBulkRun) -> list[Connection]:
        if new.search is not None:
            return list(islice(self._connections.each(environment_id, new.search), MAX_CONNECTIONS + 1))
        found: list[Connection] = []
        for identifier in dict.fromkeys(new.identifiers[: MAX_CONNECTIONS + 1]):
            try:
                found.append(self._connections.detail(environment_id, identifier).connection)
            except NotFound:
                # Somebody has disconnected it since the list was shown.
                continue
        return found

    def _handle(self, run: RunRow, identifier: str) -> _Result:
        """Handle one connection and return its result.

        Raises StorageProblem. Any other error is the connection's result, so that the others are handled.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self._do(run, identifier)
            except SlackBusy as busy:
                if left:
                    self._wait(min(busy.retry_after, _MAX_WAIT_SECONDS))
            except SlackDown:
                return _Result("slack_down")
            except NotFound:
                return _Result(self._earlier_result(run, identifier) or "gone")
            except StorageProblem:
                raise
            except VaultProblem as problem:
                return _Result("failed", problem.sentence)
            except Problem as problem:
                return _Result("refused", problem.sentence)
            except Exception as fault:
                # The message is not logged, because it may quote a secret.
                _LOG.error("bulk.failed", connection=identifier, kind=type(fault).__name__)
                return _Result("failed")
        return _Result("slack_busy")

    def _earlier_result(self, run: RunRow, identifier: str) -> str | None:
        """Return the result of a disconnect in this run that a worker did not store because it died."""
        if run.action == BulkAction.DISCONNECT and run.started_at is not None:
            with suppress(NotFound):
                last = self._connections.last_disconnect(run.environment_id, identifier)
                return last.result if last.at >= run.started_at else None
        return None

    def _do(self, run: RunRow, identifier: str) -> _Result:
        _kind, _, email = run.actor.partition(":")
        actor = Actor(ActorKind.OPERATOR, email)
        if run.action == BulkAction.LINK:
            return _Result("link_created", self._create_link(run.environment_id, identifier, actor))
        if run.action == BulkAction.DISCONNECT:
            return _Result(self._connections.disconnect(run.environment_id, identifier, actor))
        self._connections.verify(run.environment_id, identifier)
        found = self._connections.detail(run.environment_id, identifier).connection
        return _Result(found.status, found.status_reason)


def _enqueue(rows: Rows, run_id: str) -> None:
    queue.enqueue(rows, Work(Queue.SLACK, WORKFLOW, (run_id,)))


def _names(one: Connection) -> dict[str, str]:
    customer = " · ".join(filter(None, (one.subscriber_id, ", ".join(one.context_keys))))
    return {"identifier": one.identifier, "workspace": one.workspace_name or one.workspace_id, "customer": customer}


def _summary(run: RunRow, done: int) -> BulkSummary:
    return BulkSummary(
        id=run.id,
        action=BulkAction(run.action),
        actor=run.actor,
        total=run.total,
        done=done,
        created_at=run.created_at,
        is_started=run.started_at is not None,
        is_finished=run.finished_at is not None,
    )
