"""Three web processes and two workers on one PostgreSQL behave as one, although some of them are killed."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.browser_client import BrowserClient, Page
from tests.crashes import processes
from tests.crashes.balancer import Balancer, balancing
from tests.crashes.conftest import ACME, Scene
from tests.crashes.processes import Running
from tests.ports import free_port
from tests.programs import Program
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]

SEED = 25
CLIENTS, SECONDS, KILLS = 4, 5.0, 4
APPS = ("one", "two", "three")
WORKSPACES = (ACME, "T0ACMETEST", "T0MERIDESN")
TRIES = 6
#: The connection ended without an answer. A timeout is not among these: no request may hang.
KILLED = (httpx.NetworkError, httpx.RemoteProtocolError)
#: How many acknowledged operations the load needs at least.
ENOUGH = 20
#: The entries of the audit log that hosts learn of.
REPORTED = tuple(
    f"connection.{word}"
    for word in ("connected", "reconnected", "updated", "disconnected", "broken", "healed", "permissions_changed")
)


@dataclass
class Book:
    """The operations of a client, by the answer that it got."""

    #: Subscribers whose install or API create was acknowledged, and who were not disconnected.
    connected: set[str] = field(default_factory=set)
    disconnected: set[str] = field(default_factory=set)
    #: The client does not know how these ended.
    unknown: set[str] = field(default_factory=set)

    @property
    def acknowledged(self) -> int:
        return len(self.connected) + len(self.disconnected)


class Client:
    """A host's server and its customers. They repeat what a dead process did not answer."""

    def __init__(self, scene: Scene, number: int) -> None:
        self.scene, self.number = scene, number
        self.random = random.Random(SEED + number)  # noqa: S311  # the run can be repeated
        self.program = Program(scene.site, scene.program.key)
        self.book = Book()
        self._count = 0

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.random.choice([self.install, self.install, self.create, self.disconnect, self.remove_app])()
        self.program.client.close()

    def install(self) -> None:
        app, subscriber = self.random.choice(APPS), self._subscriber()
        link = self.scene.site.link(app, subscriber_id=subscriber, mode="subscriber")
        with BrowserClient(self.scene.site) as browser:
            page = self._walk(browser, link)
        is_done = page is not None and page.outcome in ("connected", "replay_ok")
        (self.book.connected if is_done else self.book.unknown).add(subscriber)

    def _walk(self, browser: BrowserClient, link: str) -> Page | None:
        """Return the last page; the person reloads a page that did not arrive. None if a form was not answered."""
        try:
            return browser.connects(link)
        except KILLED as fault:
            if fault.request.method != "GET":
                return None
            address = str(fault.request.url)
        for _ in range(TRIES):
            try:
                return browser.opens(address)
            except KILLED:
                time.sleep(0.1)
        return None

    def create(self) -> None:
        subscriber = self._subscriber()
        body = {
            "integrationIdentifier": "api",
            "subscriberId": subscriber,
            "workspace": {"id": f"T{subscriber}"},
            "auth": {"accessToken": f"token-of-{subscriber}"},
        }
        answer = self._asks("POST", "/v1/channel-connections", body, Idempotency_Key=subscriber)
        is_done = answer is not None and answer.status_code == 201
        (self.book.connected if is_done else self.book.unknown).add(subscriber)

    def disconnect(self) -> None:
        if not self.book.connected:
            return
        subscriber = self.random.choice(sorted(self.book.connected))
        found = self._asks("GET", f"/v1/channel-connections?subscriberId={subscriber}")
        self.book.connected.discard(subscriber)
        self.book.unknown.add(subscriber)
        if found is None:
            return
        (identifier,) = [one["identifier"] for one in found.json()["data"]]
        answer = self._asks("DELETE", f"/v1/channel-connections/{identifier}")
        if answer is not None and answer.status_code in (204, 404):
            self.book.unknown.discard(subscriber)
            self.book.disconnected.add(subscriber)

    def remove_app(self) -> None:
        """An admin removes the app in Slack."""
        name = self.random.choice(APPS)
        app = next(one for one in self.scene.apps.values() if one.name == name)
        self.scene.slack.removes_app(app.client_id, ACME)
        time.sleep(0.2)

    def _subscriber(self) -> str:
        self._count += 1
        return f"s{self.number}-{self._count}"

    def _asks(self, method: str, address: str, body: object = None, **headers: str) -> httpx.Response | None:
        for _ in range(TRIES):
            try:
                answer = self.program.asks(method, address, body, **headers)
            except KILLED:
                time.sleep(0.1)
            else:
                # The process of the first request died, and the key is still claimed.
                is_claimed = answer.status_code == 409 and answer.json()["code"] == "idempotency_in_progress"
                return None if is_claimed else answer
        return None


class Fleet:
    """The processes. One that is killed is replaced at once."""

    def __init__(self, scene: Scene, balancer: Balancer) -> None:
        self.scene, self.balancer = scene, balancer
        self.webs = [self._web() for _ in range(3)]
        self.workers = [self._worker() for _ in range(2)]
        assert processes.all_answer(*self.webs)
        self._balance()
        self.killed: Counter[str] = Counter()

    def kill_one(self, chosen: random.Random) -> None:
        kind = chosen.choice(["web", "worker"])
        self.killed[kind] += 1
        running, start = (self.webs, self._web) if kind == "web" else (self.workers, self._worker)
        running.pop(chosen.randrange(len(running))).kill()
        time.sleep(0.3)
        running.append(start())
        self._balance()

    def forget_dead_workers(self) -> None:
        """Do not wait for the 30 seconds after which a silent worker counts as dead."""
        self.scene.change("UPDATE workers SET seen_at = '2026-01-01' WHERE seen_at < now() - interval '3 seconds'")

    def _balance(self) -> None:
        self.balancer.ports = [one.port for one in self.webs]

    def _web(self) -> Running:
        return processes.web(self.scene.environment, self.scene.log())

    def _worker(self) -> Running:
        return processes.worker(self.scene.environment, self.scene.log())


@pytest.fixture
def fleet(start_scene: Callable[..., Scene]) -> Iterator[Fleet]:
    # The replica of the scene has a port of its own: requests go to the processes alone.
    scene = start_scene(with_events=True, port=free_port())
    public = int(scene.site.settings.origin.rpartition(":")[2])
    for name in (*APPS, "rotating", "api"):
        scene.add_app(name)
    with balancing(public) as balancer:
        yield Fleet(scene, balancer)


def test_processes_of_which_some_are_killed_behave_as_one(fleet: Fleet) -> None:
    scene = fleet.scene
    connect_rotating(scene)
    clients = [Client(scene, number) for number in range(CLIENTS)]
    with loaded(clients):
        chosen = random.Random(SEED)  # noqa: S311  # the run can be repeated
        for _ in range(KILLS):
            time.sleep(SECONDS / (KILLS + 1))
            fleet.kill_one(chosen)
        time.sleep(SECONDS / (KILLS + 1))
        assert until(lambda: sum(one.book.acknowledged for one in clients) >= ENOUGH, 60)
    assert processes.all_answer(*fleet.webs)
    for name in APPS:
        with BrowserClient(scene.site) as browser:
            page = browser.connects(scene.site.link(name, subscriber_id=f"last-{name}", mode="subscriber"))
        assert page.outcome == "connected"
    assert until(lambda: is_at_rest(fleet), 60), at_work(scene)
    check_connections(scene, [one.book for one in clients])
    check_reports(scene)
    check_attempts(scene)
    check_rotation(scene, fleet.killed["worker"])


@contextmanager
def loaded(clients: list[Client]) -> Iterator[None]:
    stop = threading.Event()
    with ThreadPoolExecutor(len(clients)) as threads:
        running = [threads.submit(one.run, stop) for one in clients]
        try:
            yield
        finally:
            stop.set()
        for one in running:
            one.result(60)


def connect_rotating(scene: Scene) -> None:
    """Connect workspaces whose tokens are due."""
    for workspace_id in WORKSPACES:
        with BrowserClient(scene.site) as browser:
            link = scene.site.link("rotating", subscriber_id=workspace_id, mode="subscriber")
            assert browser.connects(link, workspace_id, "rotation").outcome == "connected"
    scene.change("UPDATE installations SET refresh_at = '2026-01-01' WHERE refresh_token IS NOT NULL")
    scene.site.runtime.token_refresh.enqueue_due()


def at_work(scene: Scene) -> dict[str, object]:
    """Count what is not finished."""
    queries = {
        "deliveries": "SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered'",
        "events": "SELECT count(*) FROM slack_events WHERE handled_at IS NULL",
        "work": "SELECT count(*) FROM dbos.workflow_status WHERE status IN ('PENDING', 'ENQUEUED') "
        "AND queue_name <> 'maintenance'",
    }
    return {name: scene.scalar(query) for name, query in queries.items()}


def is_at_rest(fleet: Fleet) -> bool:
    fleet.forget_dead_workers()
    sent = fleet.scene.slack.events.wait_until_sent(1)
    return sent and not any(at_work(fleet.scene).values())


def check_connections(scene: Scene, books: list[Book]) -> None:
    """Each acknowledged connection is there once, and its token is one that Slack accepts; no other token is kept."""
    listed = rows(scene, "SELECT subscriber_id, identifier, status, installation_id FROM channel_connections")
    numbers = Counter(one.subscriber_id for one in listed)
    connected = {name for book in books for name in book.connected}
    disconnected = {name for book in books for name in book.disconnected}
    assert set(numbers.values()) == {1}
    assert connected <= numbers.keys()
    assert not disconnected & numbers.keys()
    with scene.slack.reading() as ledger:
        live = {token.value for token in ledger.tokens.values() if token.ended is None}
    for one in listed:
        token = scene.program.asks("GET", f"/v1/channel-connections/{one.identifier}").json()["auth"]["accessToken"]
        if one.status == "disconnected":
            assert (token, one.installation_id) == ("", None)
        else:
            assert token in live or token == f"token-of-{one.subscriber_id}", one.identifier
    last = {one.subscriber_id: one.status for one in listed if one.subscriber_id.startswith("last-")}
    assert last == {f"last-{name}": "healthy" for name in APPS}, (
        "an event about earlier access has ended a newer install"
    )


def check_reports(scene: Scene) -> None:
    """The host has got each change of each connection, with its number."""
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for one in scene.receiver.got:
        data = one.event["data"]
        if "sequence" in data:
            numbers[data["connection"]["identifier"]].add(data["sequence"])
    query = "SELECT subject, count(*) AS changes FROM audit_entries WHERE action = ANY(:actions) GROUP BY subject"
    changes = {one.subject: one.changes for one in rows(scene, query, actions=list(REPORTED))}
    assert {name: sorted(found) for name, found in numbers.items()} == {
        name: list(range(1, count + 1)) for name, count in changes.items()
    }


def check_attempts(scene: Scene) -> None:
    """No attempt hangs: the sweep ends those whose process died."""
    scene.clock.forward(seconds=61)
    list(scene.site.runtime.retention.end_attempts())
    assert rows(scene, "SELECT id FROM attempts WHERE stage IN ('exchanging', 'waiting')") == []
    assert rows(scene, "SELECT id FROM attempts WHERE waiting_grant IS NOT NULL") == []


def check_rotation(scene: Scene, killed_workers: int) -> None:
    """A pair is refreshed once, or again after the worker that had refreshed it died."""
    spent = Counter(one.refresh_token for one in scene.gate.refreshes)
    assert len(spent) >= len(WORKSPACES)
    assert sum(spent.values()) - len(spent) <= killed_workers
    found = rows(
        scene,
        "SELECT status FROM channel_connections c JOIN integrations i ON i.id = c.integration_id "
        "WHERE i.identifier = 'rotating'",
    )
    assert [one.status for one in found] == ["healthy"] * len(WORKSPACES)


def rows(scene: Scene, query: str, **values: object) -> list[Any]:
    with scene.site.runtime.database.reading() as session:
        return list(session.execute(text(query), values))
