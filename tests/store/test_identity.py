"""One identity has one connection, however many callers connect it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from onboarding import ids
from onboarding.errors import Conflict
from onboarding.services.installs.records import Choice
from onboarding.store import connection_changes
from tests.browser_client import BrowserClient, Site
from tests.dump import count
from tests.pages.test_callback import callback_of, consent_of

INSTALLS, INSERTS = 20, 50


@pytest.mark.parametrize("workspaces", [("T0ACMEHQ01",), ("T0ACMEHQ01", "T0ACMETEST")], ids=["one", "two"])
def test_callbacks_of_one_identity_at_once_make_one_connection(workspaces: tuple[str, ...], site: Site) -> None:
    with ExitStack() as stack:
        browsers = [stack.enter_context(BrowserClient(site)) for _ in range(INSTALLS)]
        callbacks = [
            callback_of(
                browser,
                consent_of(browser, site.link(mode="shared", context_keys=("tenant:acme", "team:ops"))),
                workspace=workspaces[number % len(workspaces)],
            )
            for number, browser in enumerate(browsers)
        ]
        outcomes = _at_once(INSTALLS, lambda number: browsers[number].opens(callbacks[number]).outcome)
    others = "reconnected" if len(workspaces) == 1 else "wrong_workspace"
    assert outcomes.count("connected") == 1
    assert outcomes.count("reconnected") == INSTALLS // len(workspaces) - 1
    assert set(outcomes) == {"connected", "reconnected", others}
    assert count(site.runtime.database, "channel_connections") == 1
    assert count(site.runtime.database, "installations") == 1
    assert count(site.runtime.database, "connection_contexts") == 2


def test_inserts_of_one_identity_at_once_leave_one_row(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link(mode="subscriber", subscriber_id="ada"))
    with site.runtime.database.reading() as session:
        template = session.execute(text("SELECT integration_id, installation_id FROM channel_connections")).one()
    environment = site.runtime.environments.first().id

    def insert(_number: int) -> bool:
        try:
            with site.runtime.database.transaction() as session:
                connection_changes.add(session, ("tenant:acme",), **_connection(environment, *template))
        except Conflict:
            return False
        return True

    assert sum(_at_once(INSERTS, insert)) == 1
    assert count(site.runtime.database, "channel_connections") == 2


@pytest.mark.parametrize(
    "other",
    [
        Choice("subscriber", "bea", ("tenant:acme",)),
        Choice("subscriber", "ada", ()),
        Choice("subscriber", "ada", ("tenant:acme", "team:ops")),
        Choice("subscriber", "ada", ("tenant:contoso",)),
        Choice("shared", None, ("tenant:acme",)),
    ],
    ids=["subscriber", "no context", "more contexts", "other context", "mode"],
)
def test_any_difference_is_another_identity(other: Choice) -> None:
    assert other.identity_key("int_1") != Choice("subscriber", "ada", ("tenant:acme",)).identity_key("int_1")


def test_order_of_contexts_is_no_difference() -> None:
    one, other = Choice("shared", None, ("a:1", "b:2")), Choice("shared", None, ("b:2", "a:1"))
    assert one.identity_key("int_1") == other.identity_key("int_1")
    assert one.identity_key("int_1") != one.identity_key("int_2")


def _at_once(calls: int, call: Callable[[int], Any]) -> list[Any]:
    """Call a function in as many threads as there are calls, all released at the same moment."""
    barrier = Barrier(calls)

    def started(number: int) -> Any:
        barrier.wait(20)
        return call(number)

    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(started, range(calls)))


def _connection(environment: str, integration_id: str, installation_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": ids.new_id("con"),
        "environment_id": environment,
        "identifier": ids.connection_identifier(),
        "integration_id": integration_id,
        "installation_id": installation_id,
        "identity_key": Choice("shared", None, ("tenant:acme",)).identity_key(integration_id),
        "mode": "shared",
        "workspace_id": "T1",
        "status": "healthy",
        "created_at": now,
        "updated_at": now,
    }
