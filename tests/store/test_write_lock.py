"""Threads and processes that write to one SQLite file: no write is lost, and none fails before its timeout."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median_high

import pytest
from sqlalchemy import text

from onboarding import concurrency
from onboarding.errors import Conflict, StorageProblem
from onboarding.store.database import Database
from onboarding.store.sqlite import engine
from onboarding.store.sqlite.write_lock import WriteLock

pytestmark = pytest.mark.once

_TIMEOUT = 10
_OTHERS = 6
#: Read a number and write its successor, in several threads.
_COUNTS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from sqlalchemy import text
from onboarding.store.database import Database
database = Database(sys.argv[1])
def add(_number):
    with database.changing_rows() as rows:
        read = rows.scalar(text("SELECT total FROM counter"))
        rows.execute(text("UPDATE counter SET total = :total"), {"total": read + 1})
with ThreadPoolExecutor(8) as threads:
    list(threads.map(add, range(80)))
"""
#: Fork while another thread has the lock and is about to begin. The child writes.
_FORKS = """
import os, sys, threading, time
from sqlalchemy import event, text
from onboarding.store.database import Database
database, has_lock = Database(sys.argv[1]), threading.Event()
def hold():
    with database.changing_rows():
        pass
def stop(*_):
    if threading.current_thread() is holder:
        has_lock.set()
        time.sleep(60)
event.listen(database.engine, "checkout", stop)
holder = threading.Thread(target=hold, daemon=True)
holder.start()
has_lock.wait()
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
database.after_fork()
with database.changing_rows() as rows:
    rows.execute(text("INSERT INTO notes VALUES ('child')"))
os._exit(0)
"""
#: Fork during a write. The child does nothing.
_FORKS_IN_TRANSACTION = """
import os, sys, time
from onboarding.store.database import Database
database = Database(sys.argv[1])
with database.changing_rows():
    child = os.fork()
    if not child:
        database.after_fork()
        print(os.getpid(), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/notes.sqlite3"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    with opened.rows() as rows:
        rows.execute(text("CREATE TABLE notes (words TEXT UNIQUE)"))
        rows.execute(text("CREATE TABLE counter (total INTEGER)"))
        rows.execute(text("INSERT INTO counter VALUES (0)"))
    yield opened
    opened.close()


def test_no_write_is_lost_among_threads_and_processes(database: Database, url: str) -> None:
    counting = [subprocess.Popen([sys.executable, "-c", _COUNTS, url]) for _ in range(3)]
    assert [one.wait(60) for one in counting] == [0, 0, 0]
    with database.rows() as rows:
        assert rows.scalar(text("SELECT total FROM counter")) == 240


def test_threads_write_in_order_of_arrival(database: Database) -> None:
    order: list[int] = []

    def write(number: int) -> Callable[[], None]:
        def add() -> None:
            with database.changing_rows():
                order.append(number)

        return add

    with _queued(database, *(write(number) for number in range(_OTHERS))) as others:
        pass
    _wait_for(others)
    assert order == list(range(_OTHERS))


def test_each_change_is_kept_or_refused_alone(database: Database) -> None:
    def write_and_fail() -> None:
        with database.changing_rows() as rows:
            rows.execute(text("INSERT INTO notes VALUES ('half')"))
            raise ZeroDivisionError

    others = (_writer(database, "before"), write_and_fail, _writer(database, "first"), _writer(database, "after"))
    with _queued(database, *others) as waiting:
        pass
    _wait_for([waiting[0], waiting[3]])
    with pytest.raises(ZeroDivisionError):
        waiting[1].result(_TIMEOUT)
    with pytest.raises(Conflict):
        waiting[2].result(_TIMEOUT)
    assert _notes(database) == {"first", "before", "after"}


def test_full_disk_fails_only_its_transaction(database: Database) -> None:
    """SQLite rolls back the whole transaction when the disk is full in the middle of it."""
    with database.rows() as rows:
        pages = rows.scalar(text("PRAGMA page_count"))

    def write_too_much() -> None:
        with database.changing_rows() as rows:
            rows.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
            try:
                for _ in range(100):
                    rows.execute(text("INSERT INTO notes VALUES (hex(randomblob(4000)))"))
            finally:
                rows.execute(text("PRAGMA max_page_count = 1000000"))

    with _queued(database, _writer(database, "before"), write_too_much, _writer(database, "after")) as others:
        pass
    _wait_for([others[0], others[2]])
    with pytest.raises(StorageProblem, match="The disk of the database is full"):
        others[1].result(_TIMEOUT)
    assert _notes(database) == {"first", "before", "after"}


def test_transaction_that_failed_at_commit_is_refused_and_the_next_is_kept(database: Database) -> None:
    with database.rows() as rows:
        rows.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        # SQLite checks this reference at commit.
        rows.execute(text("CREATE TABLE children (id INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"))
    with pytest.raises(Conflict), database.changing_rows() as rows:
        rows.execute(text("INSERT INTO children VALUES (7)"))
    _writer(database, "afterwards")()
    assert _notes(database) == {"afterwards"}


def test_writer_that_waits_too_long_for_a_thread_is_refused() -> None:
    lock = WriteLock()
    with ThreadPoolExecutor(1) as threads, lock.held(_soon()), pytest.raises(StorageProblem, match="busy"):
        threads.submit(_hold, lock, time.monotonic() + 0.05).result(_TIMEOUT)
    _hold(lock, _soon())


def test_writer_that_waits_too_long_for_a_process_is_refused(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use a second engine, which SQLite treats like another process."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    other = Database(url)
    with database.changing_rows():
        with pytest.raises(StorageProblem), other.changing_rows():
            pass
        # Readers do not wait for a writer.
        assert _notes(other) == set()
    _writer(other, "afterwards")()
    assert _notes(other) == {"afterwards"}
    other.close()


def test_thread_and_process_together_are_waited_for_no_longer_than_one_of_them(database: Database, url: str) -> None:
    other = Database(url)

    def seconds() -> float:
        began = time.monotonic()
        with pytest.raises(StorageProblem), database.changing_rows(0.5):
            pass
        return time.monotonic() - began

    with ThreadPoolExecutor(2) as threads, other.changing_rows():
        first, second = (threads.submit(seconds) for _ in range(2))
        assert max(first.result(_TIMEOUT), second.result(_TIMEOUT)) < 0.9
    other.close()


def test_writer_begins_soon_after_the_transaction_of_another_process(database: Database, url: str) -> None:
    """SQLite itself would sleep for 100 ms at a time, and would wake 50 ms late on average."""
    other = Database(url)

    def write() -> float:
        with other.changing_rows():
            return time.monotonic()

    def delay(held_seconds: float) -> float:
        with ThreadPoolExecutor(1) as threads:
            with database.changing_rows():
                writing = threads.submit(write)
                time.sleep(held_seconds)
                freed = time.monotonic()
            return writing.result(_TIMEOUT) - freed

    assert median_high(delay(seconds) for seconds in (0.3, 0.325, 0.35, 0.375)) < 0.04
    other.close()


def test_forked_process_waits_for_no_lock_of_its_parent(database: Database, url: str) -> None:
    subprocess.run([sys.executable, "-c", _FORKS, url], check=True, timeout=30)
    assert _notes(database) == {"child"}


def test_lock_of_a_process_that_dies_does_not_stay_with_its_forked_child(database: Database, url: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _FORKS_IN_TRANSACTION, url], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    try:
        _writer(database, "afterwards")()
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()
    assert _notes(database) == {"afterwards"}


def test_writer_waits_without_a_slot_and_comes_back_without_waiting() -> None:
    """Other threads need the slot."""
    lock, waiting = WriteLock(), threading.Event()
    all_taken, leave = threading.Barrier(concurrency.MAX_RUNNING + 1), threading.Event()

    def write() -> float:
        with concurrency.request_slot():
            waiting.set()
            with lock.held(_soon()):
                return time.monotonic()

    def hold_a_slot() -> None:
        with concurrency.request_slot():
            all_taken.wait(_TIMEOUT)
            assert leave.wait(_TIMEOUT)

    with ThreadPoolExecutor(1 + concurrency.MAX_RUNNING) as threads:
        with lock.held(_soon()):
            writing = threads.submit(write)
            assert waiting.wait(_TIMEOUT)
            slots = [threads.submit(hold_a_slot) for _ in range(concurrency.MAX_RUNNING)]
            all_taken.wait(_TIMEOUT)
            freed = time.monotonic()
        # It would wait a second for a slot.
        assert writing.result(_TIMEOUT) - freed < 0.7
        leave.set()
        _wait_for(slots)


@contextmanager
def _queued(database: Database, *others: Callable[[], None]) -> Iterator[list[Future[None]]]:
    """Begin a transaction; the others wait for it in their order, and run when the block ends."""
    with ThreadPoolExecutor(len(others)) as threads, database.changing_rows() as rows:
        rows.execute(text("INSERT INTO notes VALUES ('first')"))
        waiting: list[Future[None]] = []
        for other in others:
            waiting.append(threads.submit(other))
            time.sleep(0.05)
        yield waiting


def _wait_for(futures: list[Future[None]]) -> None:
    for one in futures:
        one.result(_TIMEOUT)


def _hold(lock: WriteLock, deadline: float) -> None:
    with lock.held(deadline):
        pass


def _soon() -> float:
    return time.monotonic() + _TIMEOUT


def _writer(database: Database, words: str) -> Callable[[], None]:
    def write() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO notes VALUES (:words)"), {"words": words})

    return write


def _notes(database: Database) -> set[str]:
    with database.rows() as rows:
        return set(rows.scalars(text("SELECT words FROM notes")))
