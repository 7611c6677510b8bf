"""A worker is killed with work at every step at which it waits for a lock, for Slack or for a host.

The next worker does all of it again, and no step takes effect twice.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from onboarding.callers import SHELL
from onboarding.outgoing import queue
from onboarding.services.webhooks.records import NewWebhookEndpoint
from onboarding.work import Queue, Work
from tests.browser_client import BrowserClient
from tests.crashes import processes
from tests.crashes.conftest import ACME, Scene
from tests.crashes.gate import Hold
from tests.crashes.locks import held, wait_until_held
from tests.crashes.steps import EXCHANGE, OFFERED, Step
from tests.dump import readable
from tests.waiting import until
from tests.webhooks.receiver import Received, status

pytestmark = pytest.mark.slow

PAST = "2026-01-01 00:00:00.000000"


class Task(Step):
    """Work that waits at one point, and what becomes of it."""

    def enqueue(self) -> None:
        """Let the worker do it."""
        raise NotImplementedError

    def is_done(self) -> bool:
        raise NotImplementedError

    def check(self) -> None:
        """Check what `is_done` does not."""


class Refresh(Task):
    method = EXCHANGE

    def prepare(self) -> None:
        self.connect("rotation")
        self.before = self.shown("auth")

    def enqueue(self) -> None:
        change = "UPDATE installations SET refresh_at = :at WHERE integration_id = :id"
        self.scene.change(change, at=PAST, id=self.integration_id)
        self.scene.site.runtime.token_refresh.enqueue_due()

    def is_done(self) -> bool:
        return self.shown("auth") != self.before

    def check(self) -> None:
        assert (self.shown("status"), self.verified()) == ("healthy", "healthy"), self.name
        # The first refresh token is sent again if Slack had answered, and the answer was lost.
        times = 2 if self.after or self.is_locked else 1
        assert self.spent()[:times] == [self.spent()[0]] * times, self.name


class RefreshBeforeSlack(Refresh):
    pass


class RefreshAfterSlack(Refresh):
    after = True


class RefreshBeforeItIsStored(Refresh):
    is_locked = True

    def rows(self) -> tuple[str, object]:
        return self.installation_row()


class Delivery(Task):
    """A webhook. The host has it, and has not answered."""

    answer = 200

    def prepare(self) -> None:
        webhooks, self.path = self.scene.site.runtime.webhooks, f"/{self.name}"
        origin = self.scene.receiver.url.partition("/hook")[0]
        # The host asks for an event that does not occur here: it gets the test alone.
        new = NewWebhookEndpoint(f"{origin}{self.path}", ("attempt.awaiting_approval",))
        self.endpoint = webhooks.endpoints.create(self.scene.environment_id, new, SHELL).id

    def enqueue(self) -> None:
        self.id = self.scene.site.runtime.webhooks.endpoints.test(self.scene.environment_id, self.endpoint)

    def rows(self) -> tuple[str, object]:
        return "webhook_deliveries", self.id

    def is_done(self) -> bool:
        return self.scene.site.runtime.webhooks.deliveries.find(self.scene.environment_id, self.id).state == "delivered"

    def check(self) -> None:
        assert [one.event["id"] for one in self.got()] == [self.got()[0].event["id"]] * 2, self.name
        assert self.scene.site.runtime.webhooks.deliveries.find(self.scene.environment_id, self.id).failures == 0

    def got(self) -> list[Received]:
        return [one for one in self.scene.receiver.got if one.path == self.path]


class DeliveryBeforeItIsStored(Delivery):
    """The host has accepted it."""

    is_locked = True


class FailedDeliveryBeforeItIsStored(Delivery):
    is_locked, answer = True, 500


class Event(Task):
    """Slack has removed the app, and is asked whether the token still works."""

    method = "auth.test"

    def prepare(self) -> None:
        self.connect()

    def enqueue(self) -> None:
        self.scene.slack.removes_app(self.app.client_id, ACME)
        assert self.deliver(self.event("app_uninstalled"), self.scene.site.settings.origin) == 200

    def is_done(self) -> bool:
        return self.shown("status") == "disconnected"

    def check(self) -> None:
        assert self.count("connection.disconnected") == 1
        query = "SELECT count(*) FROM installations WHERE integration_id = :id"
        assert self.scene.scalar(query, id=self.integration_id) == 0


class EventBeforeItsEffect(Event):
    is_locked = True


class ForwardedEvent(Delivery):
    """Slack's event is at the host, which has not answered."""

    def prepare(self) -> None:
        self.path = f"/{self.name}"
        origin = self.scene.receiver.url.partition("/hook")[0]
        self.scene.site.change_integration(self.name, forward_events=f"{origin}{self.path}")

    def enqueue(self) -> None:
        assert self.deliver(self.event("reaction_added"), self.scene.site.settings.origin) == 200

    def is_done(self) -> bool:
        query = "SELECT forward_state FROM slack_events WHERE integration_id = :id"
        return self.scene.scalar(query, id=self.integration_id) == "delivered"

    def check(self) -> None:
        assert [one.event["event_id"] for one in self.got()] == [f"Ev{self.name}"] * 2
        query = "SELECT forward_failures FROM slack_events WHERE integration_id = :id"
        assert self.scene.scalar(query, id=self.integration_id) == 0


class ExpiredGrant(Task):
    """The person has not finished the set-up page, so the sweep revokes the grant."""

    method = "auth.revoke"

    def prepare(self) -> None:
        assert self.browser.connects(self.link(**OFFERED)).name == "setup"
        self.scene.change("UPDATE attempts SET expires_at = :at", at=PAST)

    def enqueue(self) -> None:
        with self.scene.site.runtime.database.transaction() as session:
            queue.enqueue(session, Work(Queue.MAINTENANCE, "sweep", ("", "")))

    def is_done(self) -> bool:
        return self.installed() == 0

    def check(self) -> None:
        query = "SELECT grant_result FROM attempts WHERE integration_id = :id"
        assert until(lambda: self.scene.scalar(query, id=self.integration_id) == "revoked")


TASKS: tuple[type[Task], ...] = (
    # Before any other install waits.
    ExpiredGrant,
    RefreshBeforeSlack,
    RefreshAfterSlack,
    RefreshBeforeItIsStored,
    Delivery,
    DeliveryBeforeItIsStored,
    FailedDeliveryBeforeItIsStored,
    Event,
    EventBeforeItsEffect,
    ForwardedEvent,
)


@pytest.fixture
def tasks(scene: Scene) -> Iterator[list[Task]]:
    with ExitStack() as stack:
        yield [task(scene, stack.enter_context(BrowserClient(scene.site))) for task in TASKS]


def test_work_of_a_killed_worker_is_done_by_the_next_one(scene: Scene, tasks: list[Task]) -> None:
    for task in tasks:
        if isinstance(task, Delivery):
            task.hold = Hold(task.app.client_id, "")
    holds = {task.path: task for task in tasks if isinstance(task, Delivery)}

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        task = holds.pop(handler.path, None)
        if task is None or task.hold is None:
            status(200)(handler, number)
            return
        task.hold.wait()
        if not task.hold.is_dropped:
            status(task.answer)(handler, number)

    scene.receiver.answer = answer
    first = processes.worker(scene.environment, scene.log())
    for task in tasks:
        task.enqueue()
    assert until(lambda: all(task.hold.arrived.is_set() for task in tasks if task.hold), 30), [
        task.name for task in tasks if task.hold and not task.hold.arrived.is_set()
    ]
    locked = [task for task in tasks if task.is_locked]
    rows: dict[str, list[str]] = {}
    for task in locked:
        table, row_id = task.rows()
        rows.setdefault(table, []).append(str(row_id))
    with held(scene.site, rows):
        for task in locked:
            if task.hold:
                task.hold.let_go()
        wait_until_held(scene.site, len(locked))
        first.kill()
    scene.gate.drop_all()
    for task in tasks:
        if task.hold:
            task.hold.is_dropped = True
            task.hold.let_go()
    assert not any(task.is_done() for task in tasks), [task.name for task in tasks if task.is_done()]
    forget_the_dead(scene)
    processes.worker(scene.environment, scene.log())
    assert until(lambda: all(task.is_done() for task in tasks), 60), [task.name for task in tasks if not task.is_done()]
    for task in tasks:
        task.check()
    with scene.slack.reading() as ledger:
        secrets = {*ledger.tokens, *ledger.refresh_tokens}
    secrets |= {app.signing_secret for app in scene.apps.values()}
    assert len(secrets) > len(tasks)
    assert readable(scene.site.runtime.database, secrets) == []


def forget_the_dead(scene: Scene) -> None:
    """Set back the times after which other processes continue what a dead one has begun."""
    ago = scene.clock() - timedelta(minutes=2)
    text = ago.strftime("%Y-%m-%d %H:%M:%S.%f")
    for column in ("workers.seen_at", "installations.refresh_claimed_at", "attempts.finished_at", "revocations.due_at"):
        table, _, name = column.partition(".")
        scene.change(f"UPDATE {table} SET {name} = :at WHERE {name} IS NOT NULL", at=text)  # noqa: S608  # names of ours
