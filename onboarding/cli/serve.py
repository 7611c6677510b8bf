"""`serve`: set up, run the server and a worker, and print its address once it answers. `make run` calls it."""

import http.client
import sys
import threading
import time

import click

from onboarding import settings
from onboarding.cli.processes import Child, Processes
from onboarding.cli.setup import set_up
from onboarding.cli.shell import open_runtime, print_text, shell_actor
from onboarding.cli.usage import Command
from onboarding.cli.web import check_port
from onboarding.runtime import Runtime
from onboarding.settings import Settings
from onboarding.start_checks import check_ready

OWNER = "owner@localhost"
#: How long the server may take to answer its first request.
_START_SECONDS = 60


@click.command(cls=Command)
def serve() -> None:
    """Set up, and run the server and a worker until Ctrl-C.

    Prints the address and a one-time sign-in link once the server answers.
    """
    with open_runtime() as runtime:
        configured = runtime.settings
        check_port(configured)
        set_up(runtime)
        check_ready(runtime, settings.keys_are_given())
        _run(configured, runtime)


def _run(configured: Settings, runtime: Runtime) -> None:
    processes = Processes()

    def announce(server: Child) -> bool:
        if not _wait_for_server(configured, server, processes.ended):
            return False
        sign_in = runtime.operators.invite(OWNER, shell_actor()).url
        print_text(f"\n  Onboarding for Slack   {configured.origin}")
        print_text(f"  Sign in as operator    {sign_in}\n  (works once, for 15 minutes)\n\n  Press Ctrl-C to stop.\n")
        return True

    processes.run((), announce)


def _wait_for_server(configured: Settings, server: Child, ended: threading.Event) -> bool:
    """Wait until the server answers. False if a signal ended the command first."""
    latest = time.monotonic() + _START_SECONDS
    while not ended.wait(0.05):
        if server.poll() is not None:
            click.echo(f"The server ended before it answered (exit code {server.returncode}).", err=True)
            sys.exit(server.returncode or 1)
        if _answers(configured):
            return True
        if time.monotonic() > latest:
            raise click.ClickException(f"The server did not answer within {_START_SECONDS} seconds.")
    return False


def _answers(configured: Settings) -> bool:
    # An IPv6 address has brackets in a URL, and none in a socket's address.
    asking = http.client.HTTPConnection(configured.own_host.strip("[]"), configured.port, timeout=1)
    try:
        asking.request("GET", "/healthz")
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
