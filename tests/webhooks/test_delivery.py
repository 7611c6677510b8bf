"""A delivery is tried nine times over a day; then it is parked. An endpoint that only fails is paused."""

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.errors import Conflict
from onboarding.outgoing.retries import WAITS
from tests.browser_client import BrowserClient
from tests.conftest import Clock
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import status


def test_failed_tries_wait_longer_and_longer_and_are_parked_after_the_ninth(hooks: Hooks, clock: Clock) -> None:
    endpoint = hooks.add()
    hooks.receiver.answer = status(500, b"no")
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    waits = []
    for failures in range(1, 9):
        hooks.send_due()
        (one,) = hooks.deliveries()
        assert (one.state, one.failures, one.answer_status, one.answer_body) == ("waiting", failures, 500, "no")
        assert one.tried_at is not None
        assert one.next_try_at is not None
        waits.append((one.next_try_at - one.tried_at).total_seconds())
        clock.forward(seconds=waits[-1])
    hooks.send_due()
    (one,) = hooks.deliveries()
    assert (one.state, one.failures, one.problem) == ("parked", 9, "The answer had status 500.")
    for expected, actual in zip(WAITS, waits, strict=True):
        assert 0.9 <= actual / expected.total_seconds() <= 1.1
    assert len({got.event["id"] for got in hooks.receiver.got}) == 1, "each try sends the same message"
    assert hooks.endpoint(endpoint.id).status == "failing"


def test_same_try_runs_once(hooks: Hooks) -> None:
    endpoint = hooks.add()
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    (due,) = hooks.waiting()
    for _ in range(2):
        hooks.site.runtime.webhooks.delivering.deliver(*due)
    assert hooks.receiver.types() == ["webhook.test"]
    (one,) = hooks.deliveries()
    assert (one.state, one.failures, one.answer_status, one.next_try_at) == ("delivered", 0, 200, None)


@pytest.mark.parametrize("given", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_longer_wait_that_the_host_asks_for_is_kept(hooks: Hooks, given: str) -> None:
    hooks.receiver.answer = status(503, Retry_After=given)
    endpoint = hooks.add()
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.send_due()
    (one,) = hooks.deliveries()
    assert one.tried_at is not None
    assert one.next_try_at is not None
    wait = (one.next_try_at - one.tried_at).total_seconds()
    assert wait == (3600 if given == "3600" else 24 * 3600), "a day at most"


def test_endpoint_that_is_gone_is_paused_and_its_events_are_kept(hooks: Hooks, visitor: BrowserClient) -> None:
    endpoint, site = hooks.add(), hooks.site
    hooks.receiver.answer = status(410)
    visitor.connects(site.link())
    hooks.send_due()
    paused = hooks.endpoint(endpoint.id)
    assert (paused.status, paused.pause_reason) == ("paused", "gone")
    visitor.connects(site.link())
    states = [(one.state, one.problem) for one in hooks.deliveries()]
    assert states == [("parked", "The answer had status 410."), ("parked", "The endpoint was paused.")]
    deliveries = site.runtime.webhooks.deliveries
    with pytest.raises(Conflict):
        deliveries.replay_parked(hooks.environment_id, endpoint.id, SHELL)
    hooks.change(endpoint.id, is_enabled=True)
    hooks.receiver.answer = status(204, b"")
    assert deliveries.replay_parked(hooks.environment_id, endpoint.id, SHELL) == 2
    hooks.send_due()
    assert [one.state for one in hooks.deliveries()] == ["delivered"] * 2
    assert hooks.receiver.types()[1:] == ["connection.connected", "connection.reconnected"]


def test_endpoint_that_fails_for_five_days_is_paused(hooks: Hooks, clock: Clock) -> None:
    endpoint = hooks.add()
    hooks.receiver.answer = status(500)

    def sends() -> str:
        hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
        hooks.send_due()
        return hooks.endpoint(endpoint.id).status

    assert sends() == "failing"
    clock.forward(days=4.9)
    assert sends() == "failing"
    clock.forward(days=0.2)
    assert sends() == "paused"
    assert hooks.endpoint(endpoint.id).pause_reason == "failures"
    hooks.change(endpoint.id, is_enabled=True)
    hooks.receiver.answer = status(200)
    assert sends() == "enabled"


def test_waiting_try_of_a_paused_endpoint_is_parked(hooks: Hooks) -> None:
    endpoint = hooks.add()
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.change(endpoint.id, is_enabled=False)
    hooks.send_due()
    assert [(one.state, one.problem) for one in hooks.deliveries()] == [("parked", "The endpoint was paused.")]
    assert hooks.receiver.got == []


def test_replay_sends_the_same_message_again(hooks: Hooks) -> None:
    endpoint = hooks.add()
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.send_due()
    (one,) = hooks.deliveries()
    replayed = hooks.site.runtime.webhooks.deliveries.replay(hooks.environment_id, one.id, SHELL)
    assert replayed.state == "waiting"
    hooks.send_due()
    assert len({got.body for got in hooks.receiver.got}) == 1
    assert len(hooks.receiver.got) == 2


def test_messages_are_signed_with_both_secrets_for_a_day_after_a_change(hooks: Hooks, clock: Clock) -> None:
    old = hooks.add()
    new = hooks.site.runtime.webhooks.endpoints.rotate_secret(hooks.environment_id, old.id, SHELL)
    for _ in range(2):
        hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, old.id)
        hooks.send_due()
        clock.forward(hours=25)
    both, one = (got.headers["webhook-signature"].count("v1,") for got in hooks.receiver.got)
    assert (both, one) == (2, 1)
    assert old.secret is not None
    assert new.secret is not None
    assert old.secret != new.secret
    for secret in (old.secret, new.secret):
        hooks.receiver.got[0].verify(secret)


def test_lost_work_is_enqueued_again(hooks: Hooks, clock: Clock) -> None:
    endpoint = hooks.add()
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    delivering = hooks.site.runtime.webhooks.delivering
    before = enqueued(hooks)
    delivering.enqueue_lost()
    assert enqueued(hooks) == before, "not before its time"
    clock.forward(minutes=6)
    for _ in range(2):
        delivering.enqueue_lost()
    assert enqueued(hooks) == before + 1


def test_deliveries_are_deleted_a_month_after_their_last_try(hooks: Hooks, clock: Clock) -> None:
    endpoint = hooks.add()
    for answer in (200, 500):
        hooks.receiver.answer = status(answer)
        hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
        hooks.send_due()
    clock.forward(days=29.9)
    hooks.site.runtime.webhooks.delivering.purge()
    assert len(hooks.deliveries()) == 2
    clock.forward(days=0.2)
    hooks.site.runtime.webhooks.delivering.purge()
    assert [one.state for one in hooks.deliveries()] == ["waiting"]


def enqueued(hooks: Hooks) -> int:
    schema = "" if hooks.site.runtime.database.is_sqlite else "dbos."
    with hooks.site.runtime.database.reading() as session:
        found: int = session.execute(text(f"SELECT count(*) FROM {schema}workflow_status")).scalar_one()  # noqa: S608 - names of ours
    return found
