"""`serve` and `web` in their own processes: start, output, refusals and exit."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from onboarding import kept_keys
from onboarding.store.database import Database
from tests import plain_http
from tests.cli.shell import ROOT, Run, is_one_line
from tests.ports import free_port
from tests.servers import children_of, command_line, is_alive
from tests.waiting import until

# Each server is a process.
pytestmark = [pytest.mark.slow, pytest.mark.once]

FLASK = shutil.which("flask", path=str(Path(sys.executable).parent)) or "flask"


def test_real_integration_ends_practice_and_requires_keys(run: Run) -> None:
    run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "s")
    for command in (("serve",), ("web",), ("operator", "add", "ada@northwind.test"), ("sweep",)):
        is_one_line(run(*command, SECRET_KEY="", ENCRYPTION_KEYS=""), "SECRET_KEY")


def test_practice_state_that_cannot_be_read_is_one_line(run: Run, environment: dict[str, str]) -> None:
    instance = Path(environment["INSTANCE"])
    instance.mkdir(exist_ok=True)
    (instance / "practice.json").write_text("{}")
    is_one_line(run("web"), "Delete it to start again")
    result = run("serve")
    assert (result.returncode, "Delete it to start again" in result.stderr, "Traceback" in result.stderr) == (
        1,
        True,
        False,
    )


def test_practice_mode_refuses_several_web_processes(run: Run) -> None:
    for command in (("web", "--workers", "2"), ("web", "--workers", "2", "--with-worker")):
        result = run(*command)
        is_one_line(result, "practice mode runs one web process")
        assert result.returncode == 2


def test_server_alone_requires_a_database_that_is_set_up(run: Run, tmp_path: Path) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    for command in ("web", "worker"):
        is_one_line(run(command, DATABASE_URL=fresh), "Run `onboarding setup` first.")


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_server_alone_requires_a_database_of_its_version(version: str, run: Run, database: Database) -> None:
    with database.changing_rows() as rows:
        rows.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    for command in ("web", "worker"):
        is_one_line(run(command), "belongs to another version. Run `onboarding setup` first.")


@pytest.mark.once
def test_worker_that_died_is_started_again_and_ends_with_the_server(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("w") as written:
        command = [FLASK, "--app", "app", "web", "--with-worker"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=written)
    try:
        assert until(lambda: len(_workers_of(server)) == 1 and _answers(environment["PORT"]), 60)
        (died,) = _workers_of(server)
        os.kill(died, signal.SIGKILL)
        assert until(lambda: len(_workers_of(server) - {died}) == 1, 30)
        (worker,) = _workers_of(server) - {died}
    finally:
        server.terminate()
        ended = server.wait(40)
    assert ended == 0
    assert log.read_text().count("The worker ended (exit code -9). It is started again.") == 1
    assert not is_alive(worker)
    assert not _answers(environment["PORT"])


def test_server_alone_ends_cleanly_and_without_a_worker_left(environment: dict[str, str]) -> None:
    live = {
        **environment,
        "PRACTICE": "off",
        "SECRET_KEY": kept_keys.generate_key(),
        "ENCRYPTION_KEYS": kept_keys.generate_key(),
    }
    server = subprocess.Popen([FLASK, "--app", "app", "web", "--workers", "2"], cwd=ROOT, env=live)
    try:
        assert until(lambda: _answers(environment["PORT"]), 30)
    finally:
        server.terminate()
        ended = server.wait(20)
    assert ended == 0
    assert not _answers(environment["PORT"])


def test_taken_port_is_one_line(run: Run, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["PORT"])))
        taken.listen()
        is_one_line(run("serve"), "PORT:")
        is_one_line(run("web"), "PORT:")


def test_serve_says_where_it_is_and_ends_cleanly(serving: tuple[subprocess.Popen[str], str], run: Run) -> None:
    server, origin = serving
    assert plain_http.get(f"{origin}/readyz").status_code == 200
    # The practice Slack keeps its state in that process's memory, so a second process is refused.
    second = run("serve", PORT=str(free_port()))
    assert second.returncode != 0
    assert "/sign-in/" not in second.stdout, "the address is not printed, because nothing answers there"
    assert "one web process" in second.stderr
    assert f"The server ended before it answered (exit code {second.returncode})." in second.stderr
    assert "Traceback" not in second.stderr
    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "Traceback" not in complaints


def test_serve_whose_web_process_died_says_so(serving: tuple[subprocess.Popen[str], str]) -> None:
    server, _ = serving
    (web,) = _children(server.pid, b"web")
    (process,) = _children(web, b"web")
    os.kill(process, signal.SIGKILL)
    _, complaints = server.communicate(timeout=40)
    assert server.returncode != 0
    assert f"The server ended (exit code {server.returncode}). Nothing is lost: start it again." in complaints


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    server = subprocess.Popen(
        [FLASK, "--app", "app", "serve"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{environment['PORT']}"
    try:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(4)]
        assert any(f"{origin}/sign-in/" in line for line in lines), lines
        assert plain_http.get(f"{origin}/healthz").status_code == 200, "it answers once it says where it is"
        yield server, origin
    finally:
        if server.poll() is None:
            server.terminate()
            server.communicate(timeout=20)


def _workers_of(server: "subprocess.Popen[bytes]") -> set[int]:
    return _children(server.pid, b"worker")


def _children(pid: int, command: bytes) -> set[int]:
    """Return the child processes that run this command of the program."""
    end = b"\0" + command + b"\0--child\0"
    return {one for one in children_of(pid) if command_line(one).endswith(end)}


def _answers(port: str) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False
