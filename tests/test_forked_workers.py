"""Servers that load the app once and fork their workers then, as `web` does, and gunicorn when asked to."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import plain_http
from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import Site
from tests.servers import GUNICORN, WEB, forking
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("command", [GUNICORN, WEB], ids=["gunicorn", "web"])
def test_workers_share_no_connection(site: Site, tmp_path: Path, command: tuple[str, ...]) -> None:
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    program = Program(site, site.api_key("a program", "Development"))
    names = [f"connection-{number}" for number in range(20)]
    for name in names:
        assert program.creates(identifier=name, subscriberId=name).status_code == 201
    headers = {"Authorization": f"ApiKey {program.key}"}

    with forking(site, tmp_path / "log", command, PRACTICE="off") as server:
        assert until(lambda: server.status() == 200, 30)

        def ask(name: str) -> str:
            address = f"{server.origin}/v1/channel-connections/{name}"
            answer = plain_http.get(address, headers=headers, timeout=20)
            return str(answer.json().get("identifier", answer.text))

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(ask, names * 10)) == names * 10


@pytest.mark.once
def test_practice_mode_refuses_a_second_worker(site: Site, tmp_path: Path) -> None:
    """`web` refuses it before it starts any: see cli/test_serving.py."""
    with forking(site, tmp_path / "log", GUNICORN):
        assert until(lambda: "practice mode runs as one web process" in (tmp_path / "log").read_text(), 30)


@pytest.mark.once
def test_killed_worker_is_started_again_while_the_other_serves(site: Site, tmp_path: Path) -> None:
    """The kernel kills a process like this when memory is short."""
    with forking(site, tmp_path / "log", WEB, PRACTICE="off") as server:
        assert until(lambda: server.status() == 200 and len(server.workers()) == 2, 30)
        killed, other = sorted(server.workers())
        os.kill(killed, signal.SIGKILL)
        assert until(lambda: killed not in server.workers())
        assert until(lambda: server.status() == 200), "the other worker answers"
        assert until(lambda: len(server.workers()) == 2, 30)
        assert other in server.workers()
        assert all(server.status() == 200 for _ in range(20))
