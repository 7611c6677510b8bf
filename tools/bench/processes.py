"""Start servers and end them by process id; read the processor time and the memory of a process tree from Linux."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    port: int
    pid: int
    log: Path

    def cpu_seconds(self) -> float:
        """Return the processor seconds of the server and its workers since their start."""
        return sum(_cpu_seconds(pid) for pid in (self.pid, *_children(self.pid)))

    def worker_megabytes(self) -> float:
        """Return the proportional set size of the largest worker: memory that processes share is divided among them."""
        return max(_megabytes(pid) for pid in _children(self.pid))

    def says(self, words: str) -> int:
        """Count how often the log contains these words."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(words)


@contextmanager
def serving(command: list[str], surroundings: dict[str, str], port: int, log: Path) -> Iterator[Server]:
    """Run a server. Raises RuntimeError, with the log's last lines, if it does not answer within 30 seconds."""
    # A session of its own: Ctrl-C reaches this process alone, which then ends the server.
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=surroundings, stdout=written, stderr=written, start_new_session=True
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Server(port, process.pid, log)
    finally:
        end(process)


def end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        # The server leads its process group, so its workers end with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    last = time.monotonic() + 30
    while time.monotonic() < last and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _children(pid: int) -> list[int]:
    """Return all descendants. Helpers of Python's multiprocessing among them are small and idle."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            parents[int(entry.name)] = int(stat[1])
    found, below = [], {pid}
    while below:
        below = {child for child, parent in parents.items() if parent in below}
        found += sorted(below)
    return found


def _cpu_seconds(pid: int) -> float:
    stat = _stat(pid)
    return sum(int(ticks) for ticks in stat[11:13]) / _TICKS if stat else 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields after the program's name, which may hold any character; empty for an ended process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _megabytes(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024
