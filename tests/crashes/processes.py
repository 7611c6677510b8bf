"""Web processes, workers and commands in processes of their own, which a test kills with SIGKILL."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import get_context, set_start_method
from pathlib import Path

import httpx

from onboarding.cli import program
from onboarding.cli.worker import run as run_worker
from tests import plain_http
from tests.cli.shell import ROOT  # tests.cli.shell also sets which modules the fork server imports
from tests.ports import free_port
from tests.waiting import until

_processes = get_context("forkserver")
_running: list["Running"] = []


class Running:
    """A process with its children, and the file that it writes to."""

    def __init__(self, main: Callable[..., None], environment: Mapping[str, str], log: Path, *arguments: str) -> None:
        self.log, self.port = log, int(environment["PORT"])
        self._process = _processes.Process(target=_begin, args=(main, dict(environment), log, arguments))
        self._process.start()
        _running.append(self)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return plain_http.get(f"{self.origin}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process and its children with SIGKILL, and wait for its end."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join(10)

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, seconds: float) -> int | None:
        """Return the exit code; None if the process has not ended by then."""
        self._process.join(seconds)
        return self._process.exitcode


def web(environment: Mapping[str, str], log: Path) -> Running:
    """Start `onboarding web` on a free port, without waiting for it."""
    return Running(_command, {**environment, "PORT": str(free_port())}, log, "web", "--workers", "1")


def worker(environment: Mapping[str, str], log: Path, end_seconds: float = 15) -> Running:
    """Start `onboarding worker`. It looks for dead workers every 0.2 seconds."""
    return Running(_worker, environment, log, str(end_seconds))


def command(environment: Mapping[str, str], log: Path, *arguments: str) -> Running:
    return Running(_command, environment, log, *arguments)


def all_answer(*servers: Running) -> bool:
    return until(lambda: all(one.answers() for one in servers), 60)


def kill_all() -> None:
    """Kill what is left of a test."""
    while _running:
        _running.pop().kill()


def _begin(main: Callable[..., None], environment: dict[str, str], log: Path, arguments: tuple[str, ...]) -> None:
    # A group of its own, so that a kill also reaches the children.
    os.setpgid(0, 0)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)
    # The server forks its web processes. Without this line, it would use the fork server, which started this process.
    set_start_method("fork", force=True)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    main(*arguments)


def _command(*arguments: str) -> None:
    sys.argv = ["onboarding", *arguments]
    program.main()


def _worker(end_seconds: str) -> None:
    run_worker(beat_seconds=0.2, end_seconds=float(end_seconds))
