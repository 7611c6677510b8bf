"""`worker`: run durable work, such as webhooks, refreshes and maintenance."""

import os
import signal
import sys
import threading

import click

from onboarding import settings
from onboarding.cli.durable import durable_work
from onboarding.cli.shell import open_runtime
from onboarding.cli.usage import Command
from onboarding.runtime import check_ready


@click.command(cls=Command)
def worker() -> None:
    """Run durable work until Ctrl-C or a signal. The database must be set up. Several workers share the work."""
    with open_runtime() as runtime:
        check_ready(runtime, settings.keys_are_given())
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        running = durable_work().launch(runtime)
        while not ended.wait(1):
            if running.lost.is_set():
                click.echo("Another worker considered this one dead and continues its work.", err=True)
                # Threads in the middle of work must not go on.
                sys.stderr.flush()
                os._exit(os.EX_TEMPFAIL)
        running.stop()
