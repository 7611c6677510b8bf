"""A worker with one more workflow, which writes to a file what it does: `python -m tests.jobs.probe LOG`.

While the file `LOG.hold` exists, the workflow waits in its middle.
"""

import sys
import threading
import time
from pathlib import Path

from onboarding import runtime, settings
from onboarding.jobs import durable
from onboarding.jobs.definitions import Workflow
from onboarding.runtime import Runtime

WORKFLOW = "probe"


def jobs(_runtime: Runtime) -> tuple[Workflow, ...]:
    log = Path(sys.argv[1])

    def run(text: str) -> None:
        _write(log, f"begun {text}")
        while hold_of(log).exists():
            time.sleep(0.02)
        _write(log, f"done {text}")

    return (Workflow(WORKFLOW, run),)


def hold_of(log: Path) -> Path:
    return log.with_suffix(".hold")


def _write(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    durable.MODULES = (*durable.MODULES, sys.modules[__name__])
    durable.launch(runtime.build(settings.from_environ()), beat_seconds=0.2)
    threading.Event().wait()
