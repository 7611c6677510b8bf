"""Who writes next to a SQLite file, among threads and processes: a process's own doors stand for it here."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from onboarding.errors import StorageProblem
from onboarding.store.writers import Writers

_HOLDS = """
import sys, time
from onboarding.store.writers import Writers
with Writers(sys.argv[1]).turn():
    print("holds", flush=True)
    time.sleep(60)
"""


def test_who_has_just_written_comes_after_who_waits(tmp_path: Path) -> None:
    path = str(tmp_path / "database")
    one, other = Writers(path), Writers(path)
    order: list[str] = []

    def write() -> None:
        with other.turn():
            order.append("who waited")

    with one.turn():
        waiting = threading.Thread(target=write)
        waiting.start()
        _until_somebody_is_next(path)
    with one.turn():
        order.append("who had written")
    waiting.join()
    assert order == ["who waited", "who had written"]


def test_turn_of_a_process_that_dies_is_free(tmp_path: Path) -> None:
    path = str(tmp_path / "database")
    holder = subprocess.Popen([sys.executable, "-c", _HOLDS, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    entered = threading.Event()

    def write() -> None:
        with Writers(path).turn():
            entered.set()

    waiting = threading.Thread(target=write)
    waiting.start()
    _until_somebody_is_next(path)
    assert not entered.is_set()
    holder.send_signal(signal.SIGKILL)
    waiting.join(5)
    assert entered.is_set()
    holder.wait()
    holder.stdout.close()


def test_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem), Writers(str(tmp_path / "missing" / "database")).turn():
        pass


def _until_somebody_is_next(path: str) -> None:
    """Somebody stands in the first door."""
    file = os.open(f"{path}-next", os.O_RDWR | os.O_CREAT)
    end = time.monotonic() + 5
    try:
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(0.01)
    finally:
        os.close(file)
    raise AssertionError("Nobody came to wait.")
