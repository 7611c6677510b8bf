"""`serve` is killed in the middle of an install and of a delivery. Its processes end, too, and the next one goes on."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests import plain_http
from tests.browser_client import BrowserClient, Site
from tests.cli.shell import ROOT, Run
from tests.crashes.gate import Hold
from tests.servers import children_of, is_alive
from tests.waiting import until
from tests.webhooks.receiver import receiving, status

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_killed_serve_leaves_no_process_and_loses_nothing(
    environment: dict[str, str],
    run: Run,
    tmp_path: Path,
) -> None:
    origin, delivery = f"http://127.0.0.1:{environment['PORT']}", Hold("", "")
    site = cast(Site, SimpleNamespace(settings=SimpleNamespace(origin=origin)))

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            delivery.wait()
        else:
            status(200)(handler, number)

    with receiving() as receiver, BrowserClient(site) as person, ThreadPoolExecutor(1) as threads:
        receiver.answer = answer
        server = serve(environment, tmp_path / "first.log", origin)

        def asks(*words: str) -> dict[str, Any]:
            answer: dict[str, Any] = json.loads(run(*words, "--json").stdout)
            return answer

        endpoint = asks("webhook", "add", receiver.url)["id"]
        sent = asks("webhook", "test", endpoint)["id"]
        link = asks("link", "create", "--integration", "slack-practice", "--subscriber", "bea")["url"]
        consent = person.presses(person.opens(link), "connect")
        assert delivery.arrived.wait(30)
        threads.submit(installs, person, consent)
        assert until(lambda: stage(environment) == "exchanging", 30)
        processes = descendants(server.pid)
        assert len(processes) == 3, "the server, its worker process, and the worker"
        server.kill()
        server.wait()
        assert until(lambda: not any(map(is_alive, processes)), 40), processes
        delivery.let_go()
        assert not answers(origin)
        second = serve(environment, tmp_path / "second.log", origin)
        try:
            assert plain_http.get(f"{origin}/readyz").status_code == 200
            assert until(lambda: state_of(run, sent) == "delivered", 60)
            stopped = person.opens(link)
            page = person.presses(stopped, "connect" if stopped.name == "connect-start" else "try-again")
            assert person.allows(page).outcome == "connected"
            (listed,) = asks("connection", "list")["data"]
            assert listed["status"] == "healthy"
        finally:
            second.terminate()
            assert second.wait(40) == 0


def installs(person: BrowserClient, consent: Any) -> None:
    try:
        person.allows(consent, scenario="hang")
    except httpx.TransportError:
        return


def serve(environment: dict[str, str], log: Path, origin: str) -> "subprocess.Popen[bytes]":
    with log.open("w") as written:
        command = [sys.executable, "-m", "onboarding", "serve"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written)
    assert until(lambda: "/sign-in/" in log.read_text() and len(descendants(server.pid)) == 3, 120), log.read_text()
    assert answers(origin)
    return server


def stage(environment: dict[str, str]) -> str | None:
    engine = create_engine(environment["DATABASE_URL"])
    try:
        with engine.connect() as connection:
            found: str | None = connection.scalar(text("SELECT stage FROM attempts"))
            return found
    finally:
        engine.dispose()


def state_of(run: Run, delivery: str) -> str:
    found = json.loads(run("webhook", "deliveries", "--json").stdout)["data"]
    return str(next(one["status"] for one in found if one["id"] == delivery))


def descendants(pid: int) -> set[int]:
    children = children_of(pid)
    return children.union(*(descendants(one) for one in children))


def answers(origin: str) -> bool:
    try:
        return plain_http.get(f"{origin}/healthz").status_code == 200
    except httpx.TransportError:
        return False
