"""`serve`: set up, say where, and run the server. What `make run` calls."""

import errno
import signal
import socket
import subprocess
import sys
import threading
from types import FrameType

import click

from onboarding import settings
from onboarding.cli.setup import set_up
from onboarding.cli.shell import opened, told
from onboarding.errors import Problem
from onboarding.runtime import Runtime, check_keys
from onboarding.settings import Settings

#: Threads of the web process: installs that wait on Slack hold one each.
THREADS = 64
OWNER = "owner@localhost"
SWEEP_SECONDS = 30


@click.command()
def serve() -> None:
    """Set up, print the address and a one-time sign-in link, and serve until Ctrl-C."""
    with opened() as runtime:
        configured = runtime.settings
        _port_is_free(configured)
        set_up(runtime)
        with told():
            check_keys(runtime, settings.keys_are_given())
        _announce(configured, runtime.access.invite(OWNER).url)
        _run(configured, runtime)


def _announce(configured: Settings, sign_in: str) -> None:
    click.echo(f"\n  Slack Connect onboarding   {configured.origin}")
    click.echo(f"  Sign in as operator        {sign_in}\n  (once, within 15 minutes)   Ctrl-C ends it.\n")


def _run(configured: Settings, runtime: Runtime) -> None:
    ended = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    # Before the server starts: whoever ends us in between would leave it behind.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    server = subprocess.Popen(  # our own interpreter, arguments of our own
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "app:app", "--host", configured.host),
            *("--port", str(configured.port), "--workers", "1", "--blocking-threads", str(THREADS)),
            *("--backpressure", str(THREADS * 4), "--no-ws", "--log-level", "error"),
        ],
        env=settings.child_environment(configured),
    )
    seconds = 0
    while server.poll() is None and not ended.wait(1):
        seconds += 1
        if seconds % SWEEP_SECONDS == 0:
            _sweep(runtime)
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
        return
    sys.exit(server.returncode)


def _sweep(runtime: Runtime) -> None:
    try:
        runtime.choosing.expire_overdue()
    except Problem as problem:
        click.echo(f"Overdue attempts are tried again in {SWEEP_SECONDS} s: {problem.sentence}", err=True)


def _port_is_free(configured: Settings) -> None:
    family = socket.AF_INET6 if ":" in configured.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((configured.host, configured.port))
        except OSError as fault:
            taken = fault.errno == errno.EADDRINUSE
            why = "is taken; choose another with PORT=…" if taken else "cannot be listened on"
            raise click.ClickException(f"PORT: {configured.host}:{configured.port} {why}.") from None
