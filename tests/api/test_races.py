"""Concurrent requests that conflict: every response is documented, and no orphaned row is left."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from tests.api.conftest import INTEGRATION, Program, connection
from tests.browser_client import Site
from tests.crashes.locks import wait_until_held

LIST = "/v1/channel-connections"
PROGRAMS = 8

#: Contexts that are created after those that a test is about.
LATER = {"x": "1", "y": "1", "z": "1"}

Act = Callable[[Program], httpx.Response]

#: Rows that no connection may leave behind, and rows that no connection may lack.
_ASTRAY = {
    "identity twice": "SELECT identity_key FROM channel_connections GROUP BY environment_id, identity_key"
    " HAVING count(*) > 1",
    "grant of nobody": "SELECT id FROM installations WHERE id NOT IN (SELECT installation_id FROM channel_connections)",
    "context is gone": "SELECT key FROM connection_contexts WHERE key NOT IN (SELECT type || ':' || id FROM contexts)",
    "subscriber is gone": "SELECT subscriber_id FROM channel_connections WHERE subscriber_id NOT IN"
    " (SELECT subscriber_id FROM subscribers)",
    "contexts not held": "SELECT id FROM channel_connections WHERE context_keys != '[]' AND id NOT IN"
    " (SELECT connection_id FROM connection_contexts)",
    "answer unfinished": "SELECT id FROM answers WHERE status IS NULL",
}


class Crowd:
    """API callers with one key and a client each."""

    def __init__(self, site: Site, programs: Sequence[Program], threads: ThreadPoolExecutor) -> None:
        self.site, self.first = site, programs[0]
        self._programs, self._threads = programs, threads

    def at_once(self, *acts: Act) -> list[tuple[int, str]]:
        """Send the requests at the same moment and return the status and code of each response."""
        barrier = Barrier(len(acts))

        def started(program: Program, act: Act) -> tuple[int, str]:
            barrier.wait(10)
            answer = act(program)
            return answer.status_code, answer.json().get("code", "") if answer.content else ""

        return list(self._threads.map(started, self._programs, acts))

    def makes(self, address: str, body: dict[str, Any]) -> None:
        assert self.first.asks("POST", address, body).status_code == 201

    def astray(self) -> list[str]:
        with self.site.runtime.database.reading() as session:
            return [name for name, query in _ASTRAY.items() if session.execute(text(query)).first()]

    def counts(self, table: str) -> int:
        with self.site.runtime.database.reading() as session:
            found: int = session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  # a name of ours
        return found


@pytest.fixture
def crowd(start_site: Callable[..., Site]) -> Iterator[Crowd]:
    site = start_site(api_rate_limit=1_000_000)
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    key = site.api_key("crowd", "Development")
    with ExitStack() as stack:
        programs = [Program(site, key) for _ in range(PROGRAMS)]
        for program in programs:
            stack.callback(program.client.close)
        yield Crowd(site, programs, stack.enter_context(ThreadPoolExecutor(PROGRAMS)))


def creates(**members: Any) -> Act:
    return lambda program: program.creates(**members)


def deletes(address: str) -> Act:
    return lambda program: program.asks("DELETE", address)


def staggered(address: str) -> list[Act]:
    """Return four deletes of the same object, each a little later, so that one of them meets a create in progress."""

    def later(steps: int) -> Act:
        def act(program: Program) -> httpx.Response:
            for _ in range(steps):
                program.asks("GET", address)
            return program.asks("DELETE", address)

        return act

    return [later(steps) for steps in range(4)]


def posts(address: str, body: dict[str, Any]) -> Act:
    return lambda program: program.asks("POST", address, body)


def endpoint(identifier: str) -> dict[str, Any]:
    owner = {"integrationIdentifier": INTEGRATION, "subscriberId": "ada", "connectionIdentifier": "c"}
    return {**owner, "identifier": identifier, "type": "slack_user", "endpoint": {"userId": "U1"}}


def verifies(identifier: str) -> Act:
    return lambda program: program.asks("POST", f"{LIST}/{identifier}/verify")


def replaces(identifier: str, **auth: str) -> Act:
    body = {"workspace": {"id": "T2"}, "auth": {"accessToken": "another", **auth}}
    return lambda program: program.asks("PATCH", f"{LIST}/{identifier}", body)


def test_contexts_in_crossed_orders_never_block_each_other(crowd: Crowd) -> None:
    for index in range(9):
        a, b, c = ({name: f"{name}{index}"} for name in "abc")
        one = [creates(context=a | b), creates(context=b | a)] * 2
        others = [creates(subscriberId=f"s{at}", context=keys) for at, keys in enumerate((a | c, c | a, b | c, c | b))]
        answers = crowd.at_once(*one, *others)
        assert sorted(answers[:4]) == [(201, "")] + [(409, "connection_exists")] * 3
        assert answers[4:] == [(201, "")] * 4
    assert crowd.counts("channel_connections") == 9 * 5
    assert crowd.astray() == []


def test_identity_created_and_deleted_at_once_is_consistent(crowd: Crowd) -> None:
    answers = []
    for _ in range(12):
        make, end = creates(identifier="c", context={"a": "1", "b": "2"}), deletes(f"{LIST}/c")
        answers += crowd.at_once(*[make, end] * 4)
    taken = {(409, "connection_exists"), (409, "identifier_taken")}
    assert set(answers) <= {(201, ""), (204, ""), (404, "connection_not_found")} | taken
    assert {(201, ""), (204, "")} <= set(answers)
    assert answers.count((201, "")) - answers.count((204, "")) == crowd.counts("channel_connections")
    assert crowd.astray() == []


def test_context_in_use_is_never_deleted(crowd: Crowd) -> None:
    for index in range(8):
        crowd.makes("/v2/contexts", {"type": "tenant", "id": f"t{index}"})
        make = [creates(subscriberId=f"s{at}", context={"tenant": f"t{index}", **LATER}) for at in range(4)]
        answers = crowd.at_once(*make, *staggered(f"/v2/contexts/tenant/t{index}"))
        assert answers[:4] == [(201, "")] * 4
        assert set(answers[4:]) <= {(204, ""), (404, "context_not_found"), (409, "context_in_use")}
        assert crowd.astray() == []


@pytest.mark.parametrize("policy", ["create", "refuse"])
def test_subscriber_in_use_is_never_deleted(policy: str, crowd: Crowd) -> None:
    crowd.site.set_unknown_subscribers("Development", policy)
    for index in range(8):
        crowd.makes("/v2/subscribers", {"subscriberId": f"s{index}"})
        make = [creates(subscriberId=f"s{index}", context={"tenant": f"t{at}", **LATER}) for at in range(4)]
        answers = crowd.at_once(*make, *staggered(f"/v2/subscribers/s{index}"))
        assert set(answers[:4]) <= {(201, "")} | ({(404, "subscriber_not_found")} if policy == "refuse" else set())
        assert set(answers[4:]) <= {(200, ""), (404, "subscriber_not_found"), (409, "subscriber_in_use")}
        assert crowd.astray() == []


def test_subscriber_created_and_deleted_at_once_is_consistent(crowd: Crowd) -> None:
    answers = []
    for _ in range(12):
        make = [posts("/v2/subscribers", {"subscriberId": "ada", "firstName": "Ada"})] * 4
        answers += crowd.at_once(*make, *[deletes("/v2/subscribers/ada")] * 4)
    assert {(201, ""), (200, "")} <= set(answers) <= {(201, ""), (200, ""), (404, "subscriber_not_found")}
    assert crowd.astray() == []


def test_endpoint_is_never_added_to_a_deleted_connection(crowd: Crowd) -> None:
    answers = []
    for index in range(8):
        crowd.makes(LIST, connection(identifier="c"))
        make = [posts("/v1/channel-endpoints", endpoint(f"e{index}-{at}")) for at in range(4)]
        answers += crowd.at_once(*make, deletes(f"{LIST}/c"))
    assert {(204, "")} <= set(answers) <= {(201, ""), (204, ""), (404, "connection_not_found")}
    assert crowd.counts("channel_endpoints") == 0
    assert crowd.astray() == []


def test_connection_changed_and_deleted_at_once_leaves_no_rows(crowd: Crowd) -> None:
    for _ in range(10):
        crowd.makes(LIST, connection(identifier="c"))
        answers = crowd.at_once(*[replaces("c", refreshToken="r"), replaces("c"), deletes(f"{LIST}/c")] * 2)
        changes, ends = answers[0::3] + answers[1::3], answers[2::3]
        assert set(changes) <= {(200, ""), (404, "connection_not_found")}
        assert sorted(ends) == [(204, ""), (404, "connection_not_found")]
        assert crowd.astray() == []
    assert crowd.counts("installations") == 0


def test_connection_verified_and_deleted_at_once_leaves_no_rows(crowd: Crowd) -> None:
    """A verify locks the grant, then its connections; a delete locks them in the other order."""
    for index in range(4):
        crowd.makes(LIST, connection(identifier="c", auth=_pair(f"r{index}")))
        asks = [verifies("c"), replaces("c", refreshToken=f"r{index}"), verifies("c"), deletes(f"{LIST}/c")]
        answers = crowd.at_once(*asks)
        assert set(answers[:3]) <= {(200, ""), (404, "connection_not_found")}
        assert answers[3] == (204, "")
        assert crowd.astray() == []


def test_connections_that_change_grants_at_once_leave_no_orphans(crowd: Crowd) -> None:
    """Both connections share one grant, then get their own; neither may mistake the other for a remaining user."""
    for name in ("a", "b"):
        crowd.makes(LIST, connection(identifier=name, subscriberId=name, auth=_pair("first")))
    for index in range(10):
        for auth, grants in (({"refreshToken": f"r{index}"}, 1), ({}, 2)):
            assert crowd.at_once(*[replaces(name, **auth) for name in ("a", "b")]) == [(200, ""), (200, "")]
            assert crowd.counts("installations") == grants
            assert crowd.astray() == []


def test_connections_that_swap_grants_at_once_never_block_each_other(crowd: Crowd) -> None:
    grants = ["r0", "r1"]
    for name, grant in zip("ab", grants, strict=True):
        crowd.makes(LIST, connection(identifier=name, subscriberId=name, auth=_pair(grant)))
    for _ in range(10):
        grants.reverse()
        swap = [replaces(name, refreshToken=grant) for name, grant in zip("ab", grants, strict=True)]
        assert crowd.at_once(*swap) == [(200, ""), (200, "")]
        assert crowd.astray() == []


def test_grant_that_new_connections_share_outlives_its_first_connection(crowd: Crowd) -> None:
    for index in range(10):
        shared = _pair(f"r{index}")
        crowd.makes(LIST, connection(identifier=f"first{index}", auth=shared))
        come = [creates(subscriberId=f"s{at}", context={"t": f"t{index}"}, auth=shared) for at in range(3)]
        answers = crowd.at_once(deletes(f"{LIST}/first{index}"), *come)
        assert answers == [(204, ""), (201, ""), (201, ""), (201, "")]
        assert crowd.astray() == []


def test_webhook_endpoints_created_at_once_stay_within_the_limit(crowd: Crowd) -> None:
    address = "/v1/webhook-endpoints"
    for at in range(17):
        crowd.makes(address, {"url": f"http://127.0.0.1:9/{at}"})
    with ThreadPoolExecutor(1) as threads, inserts_held(crowd.site, "webhook_endpoints"):
        posted = [posts(address, {"url": "http://127.0.0.1:9/new"})] * PROGRAMS
        answers = threads.submit(lambda: crowd.at_once(*posted))
        wait_until_held(crowd.site, PROGRAMS)
    assert sorted(answers.result()) == [(201, "")] * 3 + [(409, "too_many_endpoints")] * (PROGRAMS - 3)
    assert crowd.counts("webhook_endpoints") == 20


@contextmanager
def inserts_held(site: Site, table: str) -> Iterator[None]:
    """Let inserts wait, and reads not. SQLite has one writer at a time anyway."""
    if site.runtime.database.is_sqlite:
        yield
        return
    with psycopg.connect(site.settings.database_url.get_secret_value()) as connection:
        connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield
        connection.rollback()


def test_one_idempotency_key_at_once_is_one_request(crowd: Crowd) -> None:
    def asks(key: str, subscriber: str) -> Act:
        return lambda program: program.asks("POST", LIST, connection(subscriberId=subscriber), Idempotency_Key=key)

    for index in range(9):
        names = ["ada", "bea", "ada", "cy"] * 2
        answers = crowd.at_once(*[asks(f"k{index}", f"{name}{index}") for name in names])
        made = {name for name, answer in zip(names, answers, strict=True) if answer == (201, "")}
        assert len(made) == 1
        for name, answer in zip(names, answers, strict=True):
            same = {(201, ""), (409, "idempotency_in_progress")}
            assert answer in (same if name in made else {(422, "idempotency_key_reused")})
        assert crowd.counts("channel_connections") == index + 1
        assert crowd.astray() == []


def _pair(refresh: str) -> dict[str, str]:
    return {"accessToken": "a-token", "refreshToken": refresh}
