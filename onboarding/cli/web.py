"""`web`: the server without setup. `serve` starts it, and so does a service manager."""

import errno
import gc
import os
import socket

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from onboarding import concurrency, settings
from onboarding.cli.processes import Processes, child_option
from onboarding.cli.shell import open_runtime
from onboarding.cli.usage import Command
from onboarding.parents import END_SECONDS
from onboarding.settings import Settings
from onboarding.start_checks import check_ready

#: Time for a client to send the head of a request, and to begin the next one on a connection that is kept open.
_HEADER_READ_MILLISECONDS = 10_000
#: Connections of a web process, open or waiting. Idle ones cost little; a lower limit would let a few hundred of them
#: block others.
_MAX_CONNECTIONS = 4096


@click.command(cls=Command)
@click.option(
    "--workers", type=click.IntRange(1), help="Web processes. Default: one for each core; practice mode runs one."
)
@click.option("--with-worker", is_flag=True, help="Also run a worker, in a process of its own: for a small deployment.")
@child_option
def web(workers: int | None, with_worker: bool) -> None:
    """Serve at HOST and PORT until Ctrl-C or a signal. The database must be set up."""
    with open_runtime() as runtime:
        configured = runtime.settings
        check_ready(runtime, settings.keys_are_given())
        check_port(configured)
        if workers is not None and workers > 1 and configured.practice_possible and runtime.practice.is_on():
            raise click.UsageError("--workers: practice mode runs one web process.", click.get_current_context())
    if with_worker:
        Processes().run(("--workers", str(workers)) if workers else (), lambda _server: True)
        return
    settings.become_server()
    # This process imports the code before it forks the web processes, so that they share the memory. Frozen objects
    # stay out of garbage collections, which would copy that memory: 16 MB for each web process.
    gc.freeze()
    Granian(
        "app:app",
        interface=Interfaces.WSGI,
        address=configured.host,
        port=configured.port,
        workers=workers or (1 if configured.practice_possible else os.cpu_count() or 1),
        blocking_threads=concurrency.THREADS,
        backpressure=_MAX_CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_READ_MILLISECONDS),
        websockets=False,
        # Practice mode's state is in its one process, and a state file that cannot be read would be reported twice.
        respawn_failed_workers=not configured.practice_possible,
        log_level=LogLevels.error,
        # A web process that takes longer is killed. The sweep ends its installs that still wait for Slack.
        workers_kill_timeout=END_SECONDS,
    ).serve()


def check_port(configured: Settings) -> None:
    """Check that the server can listen at HOST and PORT. Raises ClickException."""
    family = socket.AF_INET6 if ":" in configured.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((configured.host, configured.port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken; choose another with PORT=…" if taken else "cannot be used; choose another HOST or PORT"
            raise click.ClickException(f"PORT: {configured.host}:{configured.port} {reason}.") from None
