"""A process whose threads all need a new token of one connection at the same moment."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from onboarding import runtime, settings

THREADS = 10


def main(identifier: str, gate: Path) -> None:
    built = runtime.build(settings.from_environ())
    environment_id = built.environments.first().id
    # The test waits for one such file of each process, then opens the gate.
    gate.with_suffix(f".{gate.stem}{time.monotonic_ns()}").touch()
    while not gate.exists():
        time.sleep(0.01)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda _: built.connections.verify(environment_id, identifier), range(THREADS)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
