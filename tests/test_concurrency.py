"""Few requests of a process work at once. Who waits for somebody else keeps nobody out."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from onboarding import concurrency
from tests.browser_client import Site, client_of

_PATIENCE = 10


def test_no_more_work_at_once_than_there_are_places() -> None:
    working, most, guard = 0, 0, threading.Lock()
    together = threading.Barrier(concurrency.MAX_RUNNING)

    def work(_number: int) -> None:
        nonlocal working, most
        with concurrency.request_slot():
            with guard:
                working += 1
                most = max(most, working)
            # Goes on only where as many work as may.
            together.wait(_PATIENCE)
            with guard:
                working -= 1

    with ThreadPoolExecutor(4 * concurrency.MAX_RUNNING) as threads:
        list(threads.map(work, range(4 * concurrency.MAX_RUNNING)))
    assert most == concurrency.MAX_RUNNING


def test_who_steps_aside_lets_others_work_and_comes_back() -> None:
    let_in, done = threading.Barrier(concurrency.MAX_RUNNING + 1), threading.Event()

    def wait_aside() -> None:
        with concurrency.request_slot(), concurrency.slot_released():
            let_in.wait(_PATIENCE)
            assert done.wait(_PATIENCE)
            # Back at work: whoever leaves now frees the place that was taken, and no other.

    with ThreadPoolExecutor(concurrency.MAX_RUNNING) as threads:
        waiting = [threads.submit(wait_aside) for _ in range(concurrency.MAX_RUNNING)]
        let_in.wait(_PATIENCE)
        test_no_more_work_at_once_than_there_are_places()
        done.set()
        for one in waiting:
            one.result(_PATIENCE)
    test_no_more_work_at_once_than_there_are_places()


def test_stepping_aside_without_a_turn_does_nothing() -> None:
    with concurrency.slot_released():
        test_no_more_work_at_once_than_there_are_places()


def test_places_that_are_never_left_shut_nobody_out() -> None:
    """As by a database that has stopped answering."""
    entered, ends = threading.Barrier(concurrency.MAX_RUNNING + 1), threading.Event()

    def keep() -> None:
        with concurrency.request_slot():
            entered.wait(_PATIENCE)
            assert ends.wait(_PATIENCE)

    with ThreadPoolExecutor(concurrency.MAX_RUNNING) as threads:
        kept = [threads.submit(keep) for _ in range(concurrency.MAX_RUNNING)]
        entered.wait(_PATIENCE)
        with concurrency.request_slot():
            ends.set()
        for one in kept:
            one.result(_PATIENCE)
    test_no_more_work_at_once_than_there_are_places()


def test_who_gives_up_leaves_the_line() -> None:
    line = concurrency.FairSemaphore(1)
    assert line.take(0)
    assert not line.take(0.01)
    line.leave()
    assert line.take(0)


def test_who_lets_others_pass_comes_back_after_them_and_no_later() -> None:
    line, order = concurrency.FairSemaphore(1), []

    def queue(number: int) -> None:
        assert line.take(_PATIENCE)
        order.append(number)
        line.leave()

    assert line.take(0)
    line.yield_to_waiters(3)
    with ThreadPoolExecutor(5) as threads:
        queued = []
        for number in range(5):
            queued.append(threads.submit(queue, number))
            time.sleep(0.05)
        line.yield_to_waiters(3)
        order.append(-1)
        line.leave()
        for one in queued:
            one.result(_PATIENCE)
    assert order == [0, 1, 2, -1, 3, 4]


def test_requests_that_wait_for_slack_keep_no_other_out(site: Site) -> None:
    site.runtime.integrations.add_practice("slack-prod", "Northwind", "Development")
    key = site.runtime.api_keys.create("a program", "Development", (), None).key
    number, path = 4 * concurrency.MAX_RUNNING, "/v1/channel-connections"
    site.slack.answers_slowly("auth.test", 6 * _PATIENCE, times=number)
    with client_of(site, headers={"Authorization": f"ApiKey {key}"}) as program:
        names = [_made(program, number) for number in range(number)]
        with ThreadPoolExecutor(number) as threads:
            asked = [threads.submit(program.post, f"{path}/{name}/verify") for name in names]
            # Each would wait for a place for a second, if those who wait for Slack kept theirs.
            for _ in range(2 * _PATIENCE):
                assert program.get(f"{path}/{names[0]}").status_code == 200
            assert not any(one.done() for one in asked)
            site.slack.faults.clear()
            assert {one.result().status_code for one in asked} <= {200, 502}


def test_bodies_that_come_slowly_keep_no_other_out(site: Site) -> None:
    where = (site.settings.host, site.settings.port)
    head = f"POST /sign-out HTTP/1.1\r\nHost: {where[0]}:{where[1]}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nx"
    with ExitStack() as opened, client_of(site) as person:
        slow = [opened.enter_context(socket.create_connection(where)) for _ in range(2 * concurrency.MAX_RUNNING)]
        for one in slow:
            one.sendall(head.encode())
        assert person.get("/healthz").status_code == 200
        began = time.monotonic()
        for _ in range(5):
            assert person.get("/healthz").status_code == 200
        # Each would wait for a place for a second, if those who send slowly had all of them.
        assert time.monotonic() - began < 3
        for one in slow:
            one.sendall(b"x" * 999)
            assert one.recv(12).startswith(b"HTTP/1.")


def _made(program: httpx.Client, number: int) -> str:
    body = {
        "integrationIdentifier": "slack-prod",
        "subscriberId": f"subscriber-{number}",
        "workspace": {"id": f"T{number}"},
        "auth": {"accessToken": f"token-{number}"},
    }
    answer = program.post("/v1/channel-connections", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["identifier"])
