"""A process runs a limited number of requests at a time. A request that waits for something else blocks no other."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx

from onboarding import concurrency
from tests.browser_client import Site, client_of

_TIMEOUT = 10


def test_no_more_run_at_a_time_than_there_are_slots() -> None:
    _assert_all_slots_are_free()


def _assert_all_slots_are_free() -> None:
    """Run many threads: as many of them hold a slot at the same time as there are slots, and no more."""
    running, most, guard = 0, 0, threading.Lock()
    all_slots_taken = threading.Barrier(concurrency.MAX_RUNNING)

    def run(_number: int) -> None:
        nonlocal running, most
        with concurrency.request_slot():
            with guard:
                running += 1
                most = max(most, running)
            all_slots_taken.wait(_TIMEOUT)
            with guard:
                running -= 1

    with ThreadPoolExecutor(4 * concurrency.MAX_RUNNING) as threads:
        list(threads.map(run, range(4 * concurrency.MAX_RUNNING)))
    assert most == concurrency.MAX_RUNNING


def test_released_slot_goes_to_others_and_is_taken_again() -> None:
    released, done = threading.Barrier(concurrency.MAX_RUNNING + 1), threading.Event()

    def wait() -> None:
        with concurrency.request_slot(), concurrency.slot_released():
            released.wait(_TIMEOUT)
            assert done.wait(_TIMEOUT)

    with ThreadPoolExecutor(concurrency.MAX_RUNNING) as threads:
        waiting = [threads.submit(wait) for _ in range(concurrency.MAX_RUNNING)]
        released.wait(_TIMEOUT)
        _assert_all_slots_are_free()
        done.set()
        for one in waiting:
            one.result(_TIMEOUT)
    _assert_all_slots_are_free()


def test_releasing_no_slot_does_nothing() -> None:
    with concurrency.slot_released():
        _assert_all_slots_are_free()


def test_slots_that_are_never_released_block_nobody_for_long() -> None:
    """A database that has stopped responding holds all slots."""
    with _all_slots_taken(), concurrency.request_slot():
        pass
    _assert_all_slots_are_free()


def test_thread_that_others_wait_for_waits_for_no_slot() -> None:
    with concurrency.request_slot(), ExitStack() as taken:
        began = time.monotonic()
        with concurrency.slot_released(wait_again=False):
            taken.enter_context(_all_slots_taken())
        assert time.monotonic() - began < 0.5
    _assert_all_slots_are_free()


def test_semaphore_forgets_a_thread_that_stopped_waiting() -> None:
    semaphore = concurrency.FairSemaphore(1)
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0.01)
    semaphore.release()
    assert semaphore.acquire(0)


def test_semaphore_serves_threads_in_order_of_arrival() -> None:
    semaphore, order = concurrency.FairSemaphore(1), list[int]()

    def queue(number: int) -> None:
        assert semaphore.acquire(_TIMEOUT)
        order.append(number)
        semaphore.release()

    assert semaphore.acquire(0)
    with ThreadPoolExecutor(5) as threads:
        for number in range(5):
            threads.submit(queue, number)
            time.sleep(0.05)
        semaphore.release()
        # A thread that arrives now is behind all of them.
        assert semaphore.acquire(_TIMEOUT)
        assert order == [0, 1, 2, 3, 4]


def test_requests_that_wait_for_slack_block_no_other(site: Site) -> None:
    site.add_practice_app("slack-prod", "Northwind", "Development")
    key = site.api_key("a program", "Development")
    number, path = 4 * concurrency.MAX_RUNNING, "/v1/channel-connections"
    site.slack.answers_slowly("auth.test", 6 * _TIMEOUT, times=number)
    with client_of(site, headers={"Authorization": f"ApiKey {key}"}) as program:
        names = [_create(program, one) for one in range(number)]
        with ThreadPoolExecutor(number) as threads:
            asked = [threads.submit(program.post, f"{path}/{name}/verify") for name in names]
            # Each would wait a second for a slot if the requests that wait for Slack kept theirs.
            for _ in range(2 * _TIMEOUT):
                assert program.get(f"{path}/{names[0]}").status_code == 200
            assert not any(one.done() for one in asked)
            site.slack.faults.clear()
            assert {one.result().status_code for one in asked} <= {200, 502}


def test_bodies_that_arrive_slowly_block_no_other(site: Site) -> None:
    where = (site.settings.host, site.settings.port)
    head = f"POST /sign-out HTTP/1.1\r\nHost: {where[0]}:{where[1]}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nx"
    with ExitStack() as opened, client_of(site) as person:
        slow = [opened.enter_context(socket.create_connection(where)) for _ in range(2 * concurrency.MAX_RUNNING)]
        for one in slow:
            one.sendall(head.encode())
        assert person.get("/readyz").status_code == 200
        began = time.monotonic()
        for _ in range(5):
            assert person.get("/readyz").status_code == 200
        # Each would wait a second for a slot if the slow clients had all of them.
        assert time.monotonic() - began < 3
        for one in slow:
            one.sendall(b"x" * 999)
            assert one.recv(12).startswith(b"HTTP/1.")


def test_health_check_needs_no_slot(site: Site) -> None:
    with client_of(site) as person, _all_slots_taken():
        assert person.get("/healthz").status_code == 200
        began = time.monotonic()
        for _ in range(5):
            assert person.get("/healthz").status_code == 200
        # Each would wait a second for a slot.
        assert time.monotonic() - began < 1


@contextmanager
def _all_slots_taken() -> Iterator[None]:
    entered, leave = threading.Barrier(concurrency.MAX_RUNNING + 1), threading.Event()

    def hold() -> None:
        with concurrency.request_slot():
            entered.wait(_TIMEOUT)
            assert leave.wait(6 * _TIMEOUT)

    with ThreadPoolExecutor(concurrency.MAX_RUNNING) as threads:
        holding = [threads.submit(hold) for _ in range(concurrency.MAX_RUNNING)]
        entered.wait(_TIMEOUT)
        try:
            yield
        finally:
            leave.set()
        for one in holding:
            one.result(_TIMEOUT)


def _create(program: httpx.Client, number: int) -> str:
    body = {
        "integrationIdentifier": "slack-prod",
        "subscriberId": f"subscriber-{number}",
        "workspace": {"id": f"T{number}"},
        "auth": {"accessToken": f"token-{number}"},
    }
    answer = program.post("/v1/channel-connections", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["identifier"])
