"""Servers in processes of their own, which fork their workers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import plain_http
from tests.browser_client import Site
from tests.conftest import KEY, SECRET
from tests.ports import free_port

_ROOT = Path(__file__).parents[1]

GUNICORN = ("gunicorn", "--preload", "--workers", "2", "--threads", "4", "--no-control-socket", "app:app", "--bind")
WEB = ("flask", "--app", "app", "web", "--workers", "2")


class ForkingServer:
    """A running server. `workers` are the process ids of its children that serve."""

    def __init__(self, process: subprocess.Popen[bytes], origin: str) -> None:
        self.process, self.origin = process, origin

    def status(self, path: str = "/readyz") -> int:
        """Return the status of a GET; 0 where the server does not answer."""
        try:
            return plain_http.get(f"{self.origin}{path}", timeout=5).status_code
        except httpx.TransportError:
            return 0

    def workers(self) -> set[int]:
        lines = {child: command_line(child) for child in children_of(self.process.pid)}
        return {child for child, line in lines.items() if line and b"resource_tracker" not in line}


def children_of(process_id: int) -> set[int]:
    return {int(child) for child in _read(f"/proc/{process_id}/task/{process_id}/children").split()}


def command_line(process_id: int) -> bytes:
    """Return the arguments of a process, each with NUL at its end; empty for one that has ended."""
    return _read(f"/proc/{process_id}/cmdline")


def is_alive(process_id: int) -> bool:
    status = _read(f"/proc/{process_id}/stat")
    return status != b"" and b" Z" not in status.rpartition(b")")[2][:2]


def _read(file: str) -> bytes:
    """Return the file's content; empty if the process has ended."""
    try:
        return Path(file).read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@contextmanager
def forking(site: Site, log: Path, command: tuple[str, ...], **settings: str) -> Iterator[ForkingServer]:
    """Start a second server of the site's database."""
    port = free_port()
    environment = {
        "PORT": str(port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
        # Each worker counts its own requests, and one of them may answer nearly all requests of a test.
        "API_RATE_LIMIT": "1000000",
        **settings,
    }
    bind = [f"127.0.0.1:{port}"] if command is GUNICORN else []
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *bind], cwd=_ROOT, env=environment, stdout=written, stderr=written
        )
    try:
        yield ForkingServer(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(40)
