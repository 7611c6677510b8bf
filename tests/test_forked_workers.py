"""Servers that load the app once and fork their workers then, as `web` does, and gunicorn when asked to."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import Site
from tests.conftest import KEY, SECRET
from tests.ports import free_port
from tests.waiting import until

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[1]


_GUNICORN = ("gunicorn", "--preload", "--workers", "2", "--threads", "4", "--no-control-socket", "app:app", "--bind")
_WEB = ("flask", "--app", "app", "web", "--workers", "2")


@pytest.mark.parametrize("command", [_GUNICORN, _WEB], ids=["gunicorn", "web"])
def test_workers_share_no_connection(site: Site, tmp_path: Path, command: tuple[str, ...]) -> None:
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    program = Program(site, site.api_key("a program", "Development"))
    names = [f"connection-{number}" for number in range(20)]
    for name in names:
        assert program.creates(identifier=name, subscriberId=name).status_code == 201
    headers = {"Authorization": f"ApiKey {program.key}"}

    with _forked(site, tmp_path / "log", command, PRACTICE="off") as address:
        assert until(lambda: _status(address) == 200, 30)

        def ask(name: str) -> str:
            answer = httpx.get(f"{address}/v1/channel-connections/{name}", headers=headers, trust_env=False, timeout=20)
            return str(answer.json().get("identifier", answer.text))

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(ask, names * 10)) == names * 10


@pytest.mark.once
@pytest.mark.parametrize("command", [_GUNICORN, _WEB], ids=["gunicorn", "web"])
def test_practice_mode_refuses_a_second_worker(site: Site, tmp_path: Path, command: tuple[str, ...]) -> None:
    with _forked(site, tmp_path / "log", command):
        assert until(lambda: "practice mode runs as one web process" in (tmp_path / "log").read_text(), 30)


def _status(address: str) -> int:
    try:
        return httpx.get(f"{address}/readyz", trust_env=False).status_code
    except httpx.TransportError:
        return 0


@contextmanager
def _forked(site: Site, log: Path, command: tuple[str, ...], **differs: str) -> Iterator[str]:
    """The address of a second server of the site's database."""
    port = free_port()
    environment = {
        "PORT": str(port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
        **differs,
    }
    bind = [f"127.0.0.1:{port}"] if command is _GUNICORN else []
    with log.open("w") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", *command, *bind], cwd=_ROOT, env=environment, stdout=written, stderr=written
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(40)
