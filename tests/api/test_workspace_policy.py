"""With the workspace policy `refuse`, the API gives a workspace to one customer only."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site

LIST = "/v1/channel-connections"
_AUTH = {"accessToken": "a-token"}


@pytest.fixture
def strict(site: Site, program: Program) -> Program:
    """A caller whose connections belong to an integration with the policy."""
    site.add_practice_app("strict", "Strict", "Development", "refuse")
    return program


def creates(program: Program, workspace: str = "T1", **members: object) -> httpx.Response:
    return program.creates(integrationIdentifier="strict", workspace={"id": workspace}, **members)


def is_taken(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json().get("code")) == (409, "workspace_taken")


def test_another_customer_cannot_create_or_move_there(strict: Program) -> None:
    assert creates(strict).status_code == 201
    assert is_taken(creates(strict, subscriberId="bea"))
    assert is_taken(creates(strict, subscriberId=None, context={"tenant": "a"}))
    assert creates(strict, "T2", subscriberId="bea", identifier="bea").status_code == 201
    moved = strict.asks("PATCH", f"{LIST}/bea", {"workspace": {"id": "T1"}, "auth": _AUTH})
    assert is_taken(moved)
    assert strict.asks("GET", f"{LIST}/bea").json()["workspace"]["id"] == "T2"
    assert strict.asks("PATCH", f"{LIST}/bea", {"workspace": {"id": "T2"}, "auth": _AUTH}).status_code == 200


def test_one_subscriber_in_several_contexts_is_one_customer(strict: Program) -> None:
    for context in (None, {"tenant": "a"}, {"tenant": "b"}):
        assert creates(strict, context=context).status_code == 201


def test_without_a_subscriber_the_exact_contexts_are_the_customer(strict: Program) -> None:
    shared: dict[str, Any] = {"subscriberId": None, "connectionMode": "shared"}
    assert creates(strict, **shared, context={"tenant": "a", "team": "b"}).status_code == 201
    assert is_taken(creates(strict, **shared, context={"tenant": "a"}))
    assert is_taken(creates(strict, context={"tenant": "a", "team": "b"}))


def test_connection_without_a_subscriber_is_another_customer_in_the_same_contexts(strict: Program) -> None:
    assert creates(strict, context={"tenant": "a"}).status_code == 201
    assert is_taken(creates(strict, subscriberId=None, connectionMode="shared", context={"tenant": "a"}))


def test_an_identity_that_exists_is_reported_first(strict: Program) -> None:
    creates(strict, "T1")
    creates(strict, "T2", subscriberId="bea")
    assert creates(strict, "T1", subscriberId="bea").json()["code"] == "connection_exists"


def test_an_install_and_the_api_follow_the_same_rule(site: Site, visitor: BrowserClient, strict: Program) -> None:
    assert visitor.connects(site.link("strict", subscriber_id="ada"), "T0ACMEHQ01").outcome == "connected"
    assert is_taken(creates(strict, "T0ACMEHQ01", subscriberId="bea"))
    assert creates(strict, "T0ACMETEST", subscriberId="bea").status_code == 201
    with BrowserClient(site) as other:
        assert other.connects(site.link("strict", subscriber_id="cy"), "T0ACMETEST").outcome == "workspace_taken"
        link = site.link("strict", subscriber_id="ada", context_keys=("tenant:a",), mode="subscriber")
        assert other.connects(link, "T0ACMEHQ01").outcome == "connected"


def test_one_of_two_customers_at_once_gets_the_workspace(site: Site, strict: Program) -> None:
    callers = [Program(site, strict.key) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for number in range(10):
            barrier = Barrier(2)

            def act(index: int, number: int = number, barrier: Barrier = barrier) -> int:
                barrier.wait(20)
                return creates(callers[index], f"T{number}", subscriberId=f"s{number}-{index}").status_code

            assert sorted(threads.map(act, range(2))) == [201, 409]
    for caller in callers:
        caller.client.close()
