"""Work that ends with a fault that nobody foresaw is tried again at once, and later by a schedule. Nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from onboarding.callers import SHELL
from onboarding.services.connections.bulk import BulkAction, NewBulkRun
from tests.browser_client import BrowserClient
from tests.crashes import processes
from tests.crashes.conftest import Scene
from tests.crashes.steps import Step
from tests.crashes.test_killed_worker import PAST
from tests.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def fault(scene: Scene, change: str, condition: str) -> Iterator[None]:
    """Let a statement fail in a way that does not mean that the database is away. `condition` refers to `NEW`."""
    table = change.rpartition(" ")[2]
    if scene.site.runtime.database.is_sqlite:
        made = [f"CREATE TRIGGER odd BEFORE {change} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'odd'); END"]
        dropped = ["DROP TRIGGER odd"]
    else:
        body = "BEGIN RAISE EXCEPTION 'odd' USING ERRCODE = 'internal_error'; END"
        made = [
            f"CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER odd BEFORE {change} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION odd()",
        ]
        dropped = [f"DROP TRIGGER odd ON {table}", "DROP FUNCTION odd"]
    for statement in made:
        scene.change(statement)
    yield
    for statement in dropped:
        scene.change(statement)


@dataclass
class Lost:
    """Work, how it fails, and how a schedule finds that it was lost."""

    enqueue: Callable[[], object]
    fault: tuple[str, str]
    due: str
    find: Callable[[], object]
    is_done: Callable[[], bool]


class _App(Step):
    def prepare(self) -> None:
        self.connect()


def event(scene: Scene, app: _App) -> Lost:
    body = app.event("team_rename", name="Renamed")
    return Lost(
        lambda: app.deliver(body, scene.site.settings.origin),
        ("UPDATE ON slack_events", "NEW.handled_at IS NOT NULL"),
        "UPDATE slack_events SET handle_at = :at WHERE handle_at IS NOT NULL",
        scene.site.runtime.slack_events.enqueue_lost,
        lambda: app.count("connection.renamed") == 1,
    )


def forwarded(scene: Scene, app: _App) -> Lost:
    scene.site.change_integration(app.name, forward_events=scene.receiver.url)
    query = "SELECT forward_state FROM slack_events"
    return Lost(
        lambda: app.deliver(app.event("reaction_added"), scene.site.settings.origin),
        ("UPDATE ON slack_events", "NEW.forward_state = 'delivered'"),
        "UPDATE slack_events SET forward_at = :at WHERE forward_at IS NOT NULL",
        scene.site.runtime.slack_events.enqueue_lost,
        lambda: scene.scalar(query) == "delivered",
    )


def bulk_run(scene: Scene, app: _App) -> Lost:
    bulk = scene.site.runtime.bulk
    new = NewBulkRun(BulkAction.CHECK, (app.identifier,))
    return Lost(
        lambda: bulk.create(scene.environment_id, new, SHELL),
        ("UPDATE ON bulk_items", "NEW.result IS NOT NULL"),
        "UPDATE bulk_runs SET worked_at = :at",
        bulk.enqueue_lost,
        lambda: all(one.is_finished for one in bulk.newest(scene.environment_id)),
    )


@pytest.mark.parametrize("kind", [event, forwarded, bulk_run])
def test_work_that_failed_is_done_later(kind: Callable[[Scene, _App], Lost], scene: Scene) -> None:
    with BrowserClient(scene.site) as person:
        lost = kind(scene, _App(scene, person))
    with fault(scene, *lost.fault):
        lost.enqueue()
        worker = processes.worker(scene.environment, scene.log())
        assert until(lambda: failures(worker.log) == 3, 60), failures(worker.log)
    assert not lost.is_done()
    lost.find()
    scene.change(lost.due, at=PAST)
    lost.find()
    assert until(lost.is_done, 30), worker.log.read_text()
    assert failures(worker.log) == 3


def test_work_is_repeated_at_once_after_a_passing_fault(scene: Scene) -> None:
    with BrowserClient(scene.site) as person:
        lost = event(scene, _App(scene, person))
    with fault(scene, *lost.fault):
        lost.enqueue()
        worker = processes.worker(scene.environment, scene.log())
        assert until(lambda: failures(worker.log) == 1, 60), failures(worker.log)
    assert until(lost.is_done, 30), worker.log.read_text()


def failures(log: Path) -> int:
    return log.read_text().count("work.failed") if log.exists() else 0
