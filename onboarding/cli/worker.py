"""`worker`: run durable work, such as webhooks, refreshes and maintenance."""

import os
import signal
import sys
import threading

import click

from onboarding import settings
from onboarding.cli.durable import durable_work
from onboarding.cli.processes import child_option
from onboarding.cli.shell import open_runtime
from onboarding.cli.usage import Command
from onboarding.start_checks import check_ready


@click.command(cls=Command)
@child_option
def worker() -> None:
    """Run durable work until Ctrl-C or a signal. The database must be set up. Several workers share the work."""
    run()


def run(**seconds: float) -> None:
    """Run a worker. `seconds`: times for `launch`, for tests that cannot wait as long as production."""
    with open_runtime() as runtime:
        check_ready(runtime, settings.keys_are_given())
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        running = durable_work().launch(runtime, **seconds)
        while not ended.wait(1):
            if running.lost.is_set():
                _exit("Another worker considered this one dead and continues its work.", os.EX_TEMPFAIL)
        if not running.stop():
            _exit("Work was still running when this worker had to end. A worker runs it again.", os.EX_OK)


def _exit(sentence: str, code: int) -> None:
    """End the process in the middle of its work: its threads must not go on beside the worker that repeats the work."""
    click.echo(sentence, err=True)
    sys.stderr.flush()
    os._exit(code)
