"""Run the server and the worker as child processes, until a signal or until the server ends."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import click

from onboarding.parents import END_SECONDS, end_with_stdin

#: The wait before a worker that ended at once is started again.
_RESTART_SECONDS = 2.0

Child = subprocess.Popen[bytes]


def _end_with_parent(_context: click.Context, _option: click.Parameter, is_child: bool) -> None:
    if is_child:
        end_with_stdin()


#: For the commands that `Processes` starts: they end when this process does, also if it is killed.
child_option = click.option("--child", is_flag=True, hidden=True, expose_value=False, callback=_end_with_parent)


class Processes:
    """The server, and a worker that is started again when it dies."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._worker: Child | None = None
        self._restart_at = 0.0

    def run(self, server_arguments: tuple[str, ...], once_started: Callable[[Child], bool]) -> None:
        """Run both. `once_started` waits until the server serves, and returns whether to start the worker."""
        # Before the server starts: a signal in between would leave it running.
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        server = _start("web", *server_arguments)
        try:
            needs_worker = once_started(server)
            while server.poll() is None and not self.ended.wait(0.5):
                if needs_worker:
                    self._keep_worker()
        finally:
            # Both at the same time: the worker may call the server's practice Slack until it ends.
            code = _end(server, *filter(None, (self._worker,)))
        if not self.ended.is_set():
            click.echo(f"The server ended (exit code {code}). Nothing is lost: start it again.", err=True)
            sys.exit(code)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.ended.set()

    def _keep_worker(self) -> None:
        if self._worker is not None and self._worker.poll() is None:
            return
        if self._worker is not None and not self._restart_at:
            click.echo(f"The worker ended (exit code {self._worker.returncode}). It is started again.", err=True)
            self._restart_at = time.monotonic() + _RESTART_SECONDS
        if time.monotonic() >= self._restart_at:
            self._worker, self._restart_at = _start("worker"), 0.0


def _start(*arguments: str) -> Child:
    return subprocess.Popen([sys.executable, "-m", "onboarding", *arguments, "--child"], stdin=subprocess.PIPE)


def _end(first: Child, *others: Child) -> int:
    """Stop the processes and return the exit code of the first one."""
    running = [one for one in (first, *others) if one.poll() is None]
    for one in running:
        one.terminate()
    latest = time.monotonic() + END_SECONDS + 10
    for one in running:
        try:
            one.wait(max(0, latest - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
    return first.wait()
