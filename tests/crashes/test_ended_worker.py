"""After SIGTERM, a worker finishes what runs, and leaves what takes too long to the next worker."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from onboarding.callers import SHELL
from onboarding.services.webhooks.records import NewWebhookEndpoint
from tests.crashes import processes
from tests.crashes.conftest import Scene
from tests.crashes.gate import Hold
from tests.waiting import until
from tests.webhooks.receiver import status

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_worker_that_is_asked_to_end_finishes_or_hands_over_its_work(scene: Scene) -> None:
    quick, slow = Hold("", ""), Hold("", "")
    holds = {"/quick": quick, "/slow": slow}

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if hold := holds.pop(handler.path, None):
            hold.wait()
        status(200)(handler, number)

    scene.receiver.answer = answer
    deliveries = {path: delivery(scene, path) for path in holds}
    first = processes.worker(scene.environment, scene.log(), end_seconds=1)
    assert until(lambda: quick.arrived.is_set() and slow.arrived.is_set(), 30)
    first.terminate()
    quick.let_go()
    assert first.wait(15) == 0
    assert first.log.read_text().count("Work was still running when this worker had to end.") == 1
    state = state_of(scene)
    assert (state(deliveries["/quick"]), state(deliveries["/slow"])) == ("delivered", "waiting")
    assert scene.scalar("SELECT count(*) FROM workers") == 0
    slow.let_go()
    processes.worker(scene.environment, scene.log())
    # It need not wait until a silent worker counts as dead: the first one has signed off.
    assert until(lambda: state(deliveries["/slow"]) == "delivered", 15)
    assert sorted(one.path for one in scene.receiver.got) == ["/quick", "/slow", "/slow"]


def delivery(scene: Scene, path: str) -> str:
    """Enqueue a test event for an endpoint of its own, and return the delivery's id."""
    endpoints = scene.site.runtime.webhooks.endpoints
    origin = scene.receiver.url.partition("/hook")[0]
    new = NewWebhookEndpoint(f"{origin}{path}")
    return endpoints.test(scene.environment_id, endpoints.create(scene.environment_id, new, SHELL).id)


def state_of(scene: Scene) -> Callable[[str], str]:
    deliveries = scene.site.runtime.webhooks.deliveries
    return lambda delivery_id: deliveries.find(scene.environment_id, delivery_id).state
