"""`web`: the server alone. `serve` starts it, and so does whatever keeps a service running."""

import ctypes
import errno
import gc
import os
import socket
from contextlib import suppress

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from onboarding import concurrency, settings
from onboarding.cli.shell import opened
from onboarding.runtime import check_ready
from onboarding.settings import Settings

#: glibc's name for it (mallopt(3)).
_M_ARENA_MAX = -8
#: Those who still wait on Slack then are left to the sweep.
END_SECONDS = 15


@click.command()
@click.option(
    "--workers", type=click.IntRange(1), help="Web processes: one for each core unless told; practice mode takes one."
)
def web(workers: int | None) -> None:
    """Serve at HOST and PORT until Ctrl-C or a signal ends it, with a database that is set up."""
    with opened() as runtime:
        configured = runtime.settings
        check_ready(runtime, settings.keys_are_given())
        port_is_free(configured)
    settings.become_server()
    # Workers are forked from this process, which has imported all that they need: they share that memory, and keep
    # sharing what the collector does not write to.
    gc.collect()
    gc.freeze()
    _share_memory_between_threads()
    Granian(
        "app:app",
        interface=Interfaces.WSGI,
        address=configured.host,
        port=configured.port,
        workers=workers or (1 if configured.practice_possible else os.cpu_count() or 1),
        blocking_threads=concurrency.THREADS,
        backpressure=concurrency.THREADS * 4,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=END_SECONDS,
    ).serve()


def _share_memory_between_threads() -> None:
    """glibc would give each of the many threads memory of its own and keep what they free: ten megabytes for each worker.

    Other C libraries have no such function, and no such habit.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def port_is_free(configured: Settings) -> None:
    """Raises ClickException."""
    family = socket.AF_INET6 if ":" in configured.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((configured.host, configured.port))
        except OSError as fault:
            taken = fault.errno == errno.EADDRINUSE
            why = "is taken; choose another with PORT=…" if taken else "cannot be listened on"
            raise click.ClickException(f"PORT: {configured.host}:{configured.port} {why}.") from None
