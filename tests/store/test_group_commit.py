"""Threads that write to an SQLite file share commits, and nothing else: each one's change is kept or refused by itself."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from onboarding.errors import Conflict, StorageProblem
from onboarding.store.database import Database

pytestmark = pytest.mark.once
_PATIENCE = 10
_OTHERS = 6


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/notes.sqlite3")
    with opened.rows() as rows:
        rows.execute(text("CREATE TABLE notes (words TEXT UNIQUE)"))
    yield opened
    opened.close()


def test_those_who_queue_share_a_commit(database: Database) -> None:
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    with _queued(database, *(_writer(database, str(number)) for number in range(_OTHERS))) as others:
        pass
    for one in others:
        one.result(_PATIENCE)
    assert _notes(database) == {"first", *map(str, range(_OTHERS))}
    assert len(commits) < 1 + _OTHERS


def test_nobody_is_told_before_the_commit(database: Database) -> None:
    seen: list[set[str]] = []

    def write() -> None:
        _writer(database, "other")()
        seen.append(_notes(database))

    with _queued(database, write, write_again := _writer(database, "third")) as others:
        pass
    for one in others:
        one.result(_PATIENCE)
    assert "other" in seen[0]
    with pytest.raises(Conflict):
        write_again()


def test_who_is_refused_takes_nobody_along(database: Database) -> None:
    def write_twice() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO notes VALUES ('twice')"))
            session.execute(text("INSERT INTO notes VALUES ('twice')"))

    good = [_writer(database, str(number)) for number in range(_OTHERS)]
    refused = (_writer(database, "first"), write_twice)
    with _queued(database, good[0], *refused, *good[1:]) as others:
        pass
    for one in (others[1], others[2]):
        with pytest.raises(Conflict):
            one.result(_PATIENCE)
    for one in (others[0], *others[3:]):
        one.result(_PATIENCE)
    assert _notes(database) == {"first", *map(str, range(_OTHERS))}


def test_who_fails_leaves_nothing_behind(database: Database) -> None:
    def write_and_fail() -> None:
        with database.changing_rows() as rows:
            rows.execute(text("INSERT INTO notes VALUES ('half')"))
            raise ZeroDivisionError

    with _queued(database, _writer(database, "before"), write_and_fail, _writer(database, "after")) as others:
        pass
    with pytest.raises(ZeroDivisionError):
        others[1].result(_PATIENCE)
    for one in (others[0], others[2]):
        one.result(_PATIENCE)
    assert _notes(database) == {"first", "before", "after"}


def test_who_began_and_fails_takes_nobody_along(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), _queued(database, _writer(database, "other")) as others:
        raise ZeroDivisionError
    others[0].result(_PATIENCE)
    assert _notes(database) == {"other"}


def test_transaction_that_is_lost_is_told_to_all_who_were_in_it(database: Database) -> None:
    """SQLite takes back a whole transaction when the disk is full in the middle of it."""

    def lose() -> None:
        with database.changing_rows() as rows:
            rows.execute(text("INSERT INTO notes VALUES ('lost')"))
            rows.exec_driver_sql("ROLLBACK")
            raise StorageProblem("The disk is full.")

    with pytest.raises(StorageProblem), _queued(database, _writer(database, "before"), lose) as others:
        pass
    for one in others:
        with pytest.raises(StorageProblem):
            one.result(_PATIENCE)
    assert _notes(database) == set()
    _writer(database, "afterwards")()
    assert _notes(database) == {"afterwards"}


def test_commit_that_fails_is_told_to_all_who_were_in_it(database: Database) -> None:
    with database.rows() as rows:
        rows.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        # What it refers to is looked for by the commit and no sooner.
        rows.execute(text("CREATE TABLE children (id INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"))

    def orphan() -> None:
        with database.changing_rows() as rows:
            rows.execute(text("INSERT INTO children VALUES (7)"))

    with pytest.raises(Conflict), _queued(database, _writer(database, "before"), orphan) as others:
        pass
    for one in others:
        with pytest.raises(StorageProblem):
            one.result(_PATIENCE)
    assert _notes(database) == set()


@contextmanager
def _queued(database: Database, *others: Callable[[], None]) -> Iterator[list[Future[None]]]:
    """Begins a transaction, and the others queue behind it in their order, which go on once it ends."""
    with ThreadPoolExecutor(len(others)) as threads, database.changing_rows() as rows:
        rows.execute(text("INSERT INTO notes VALUES ('first')"))
        begun: list[Future[None]] = []
        for other in others:
            begun.append(threads.submit(other))
            time.sleep(0.05)
        yield begun


def _writer(database: Database, words: str) -> Callable[[], None]:
    def write() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO notes VALUES (:words)"), {"words": words})

    return write


def _notes(database: Database) -> set[str]:
    with database.rows() as rows:
        return set(rows.scalars(text("SELECT words FROM notes")))
