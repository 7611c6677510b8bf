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

from onboarding import concurrency
from onboarding.errors import StorageProblem
from onboarding.store.writers import Writers

_OPEN = Path("/dev/fd")
_HOLDS = """
import sys, time
from onboarding.store.writers import Writers
with Writers(sys.argv[1]).turn():
    print("holds", flush=True)
    time.sleep(60)
"""
_FORKS = """
import os, sys, time
from onboarding.store.database import Database
database = Database("sqlite:///" + sys.argv[1])
with database.changing_rows() as rows:
    child = os.fork()
    if not child:
        database.after_fork()
        print(os.getpid(), flush=True)
        time.sleep(60)
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


def test_turn_of_a_parent_that_dies_does_not_stay_with_its_forked_child(tmp_path: Path) -> None:
    path = str(tmp_path / "database")
    parent = subprocess.Popen([sys.executable, "-c", _FORKS, path], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    try:
        with Writers(path).turn():
            os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_who_gets_its_turn_to_write_waits_for_no_place(tmp_path: Path) -> None:
    """Others wait for it, in other processes, too."""
    path = str(tmp_path / "database")
    one, other = Writers(path), Writers(path)
    entered, ends = threading.Event(), threading.Event()
    work = threading.Barrier(concurrency.MAX_RUNNING + 1)

    def write() -> None:
        with concurrency.request_slot(), other.turn():
            entered.set()

    def keep_a_place() -> None:
        with concurrency.request_slot():
            work.wait(5)
            assert ends.wait(5)

    threads = [
        threading.Thread(target=write),
        *(threading.Thread(target=keep_a_place) for _ in range(concurrency.MAX_RUNNING)),
    ]
    with one.turn():
        threads[0].start()
        _until_somebody_is_next(path)
        for thread in threads[1:]:
            thread.start()
        work.wait(5)
    # It would wait for a place for a second.
    assert entered.wait(0.7)
    ends.set()
    for thread in threads:
        thread.join(5)


def test_files_belong_to_whom_the_database_does(tmp_path: Path) -> None:
    """A command that root gives once must not lock the service out."""
    database = tmp_path / "database"
    database.touch()
    database.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(database, 12345, 54321)
    with Writers(str(database)).turn():
        pass
    own = [(one.stat().st_mode, one.stat().st_uid, one.stat().st_gid) for one in sorted(tmp_path.iterdir())]
    assert len(own) == 3
    assert len(set(own)) == 1


def test_file_that_cannot_be_opened_is_told_and_tried_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / "database-writing"
    in_the_way.mkdir()
    writers, before = Writers(str(tmp_path / "database")), len(list(_OPEN.iterdir()))
    for _ in range(5):
        with pytest.raises(StorageProblem, match="database-writing cannot be opened"), writers.turn():
            pass
    assert len(list(_OPEN.iterdir())) == before + 1
    in_the_way.rmdir()
    with writers.turn():
        pass


def test_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem), Writers(str(tmp_path / "missing" / "database")).turn():
        pass


def _until_somebody_is_next(path: str) -> None:
    """Somebody stands in the first operations."""
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
