"""One identity is one row, however many try at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from onboarding import ids
from onboarding.callers import SHELL
from onboarding.errors import Conflict
from onboarding.services.installs.records import Choice, StartedAttempt
from onboarding.services.links import NewLink
from onboarding.slack import grants, scopes
from onboarding.store import attempts, connections
from onboarding.store.attempts import Stage
from onboarding.store.database import Session
from tests.browser_client import Site

TRIES = 50


def test_fifty_installs_at_once_of_one_identity_make_one_connection(site: Site) -> None:
    choice = Choice("shared", None, ("tenant:acme", "team:ops"))
    begun = [_begun(site) for _ in range(TRIES)]
    settling = site.runtime.installs.handle_callback.__self__._settling  # type: ignore[attr-defined]  # a bound method has its object
    grant = _grant()
    outcomes = _at_once(lambda number: settling.settle(begun[number], Stage.EXCHANGING, grant, choice, False))
    assert sorted(outcomes) == ["connected"] + ["reconnected"] * (TRIES - 1)
    assert _counted(site, "channel_connections") == 1
    assert _counted(site, "installations") == 1
    assert _counted(site, "connection_contexts") == 2


def test_fifty_inserts_at_once_of_one_identity_leave_one_row(site: Site) -> None:
    first = site.runtime.installs.handle_callback.__self__._settling  # type: ignore[attr-defined]  # a bound method has its object
    first.settle(_begun(site), Stage.EXCHANGING, _grant(), Choice("subscriber", "ada", ()), False)
    with site.runtime.database.reading() as session:
        template = session.execute(text("SELECT integration_id, installation_id FROM channel_connections")).one()
    environment = site.runtime.environments.first().id

    def insert(_number: int) -> bool:
        try:
            with site.runtime.database.transaction() as session:
                connections.add(session, ("tenant:acme",), **_connection(environment, *template))
        except Conflict:
            return False
        return True

    assert sum(_at_once(insert)) == 1
    assert _counted(site, "channel_connections") == 2


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


def _at_once(one: Callable[[int], Any]) -> list[Any]:
    """Runs one function on as many threads as there are tries, all let go at the same moment."""
    barrier = Barrier(TRIES)

    def started(number: int) -> Any:
        barrier.wait(20)
        return one(number)

    with ThreadPoolExecutor(TRIES) as threads:
        return list(threads.map(started, range(TRIES)))


def _begun(site: Site) -> str:
    """An attempt that has just been given Slack's answer."""
    new = NewLink(integration="slack-practice", environment="Development", context_keys=("tenant:acme", "team:ops"))
    link = site.runtime.links.create(new, SHELL).id
    sent: StartedAttempt = site.runtime.installs.start_link(link)
    with site.runtime.database.transaction() as session:
        _exchanging(session, sent.attempt_id)
    return sent.attempt_id


def _exchanging(session: Session, attempt_id: str) -> None:
    assert attempts.move(session, attempt_id, Stage.MADE, stage=Stage.EXCHANGING, exchanging_at=datetime.now(UTC))


def _grant() -> grants.Grant:
    return grants.read(
        {
            "access_token": "xoxb-1",
            "scope": ",".join(scopes.DEFAULT),
            "team": {"id": "T1", "name": "Acme HQ"},
            "bot_user_id": "U1",
        }
    )


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


def _counted(site: Site, table: str) -> int:
    with site.runtime.database.reading() as session:
        found: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  # names of ours
    return found
