"""Group commit: what several threads of this process write to an SQLite file is made durable at once.

A commit writes each page that was touched and waits for the disk, and threads that queue to write touch mostly the same
pages. So they share a transaction, one after the other, and who began it commits for all: nobody is answered before.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from onboarding import concurrency
from onboarding.errors import StorageProblem
from onboarding.store.compiled import CompiledStatement
from onboarding.store.writers import Writers

_LONGEST_WAIT_SECONDS = 10.0
#: How many may join before a commit. More gain little, and let other processes wait.
_TOGETHER = 8
_BEGIN, _SAVEPOINT, _RELEASE, _ROLL_BACK = (
    CompiledStatement(text(words))
    for words in ("BEGIN IMMEDIATE", "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part")
)


class GroupCommit:
    """For one SQLite file."""

    def __init__(self, engine: Engine, database_file: str) -> None:
        self._engine, self._writers = engine, Writers(database_file)
        self._line = concurrency.FairSemaphore(1)
        #: Only who is at the head of the line looks.
        self._open: _Group | None = None

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """In a transaction that is committed by the end of this, and without what was changed where this raises.

        Raises StorageProblem when it takes too long to begin, and for everybody in it when the transaction is lost.
        """
        joined = None
        try:
            with self._at_the_head():
                joined = self._open
                with self._led() if joined is None else joined.part() as connection:
                    yield connection
        finally:
            if joined is not None:
                joined.end()

    def close(self) -> None:
        self._writers.close()

    @contextmanager
    def _at_the_head(self) -> Iterator[None]:
        if not self._line.take(0):
            with concurrency.slot_released(waits_to_come_back=False):
                entered = self._line.take(_LONGEST_WAIT_SECONDS)
            if not entered:
                raise StorageProblem("The database is busy.")
        try:
            yield
        finally:
            self._line.leave()

    @contextmanager
    def _led(self) -> Iterator[Connection]:
        group = None
        try:
            with self._writers.turn(), self._engine.connect() as connection, connection.begin():
                _BEGIN.run(connection, {})
                yield connection
                group = self._open = _Group(connection)
                with concurrency.slot_released(waits_to_come_back=False):
                    self._line.yield_to_waiters(_TOGETHER)
                group.must_be_whole()
            group.is_kept = True
        finally:
            self._open = None
            if group is not None:
                group.is_over.set()


class _Group:
    """A transaction that others may join before it is committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_kept = False
        self.is_over = threading.Event()

    @contextmanager
    def part(self) -> Iterator[Connection]:
        # A savepoint in no transaction would begin one, and releasing it would commit.
        self.must_be_whole()
        _SAVEPOINT.run(self._connection, {})
        try:
            yield self._connection
        except BaseException:
            if self._is_whole():
                _ROLL_BACK.run(self._connection, {})
                _RELEASE.run(self._connection, {})
            raise
        _RELEASE.run(self._connection, {})

    def end(self) -> None:
        """Waits for the commit. Raises StorageProblem where it failed."""
        with concurrency.slot_released():
            self.is_over.wait()
        if not self.is_kept:
            raise StorageProblem("The database did not answer.")

    def must_be_whole(self) -> None:
        if not self._is_whole():
            raise StorageProblem("The database did not answer.")

    def _is_whole(self) -> bool:
        """False once SQLite has taken everything back, as it does when the disk is full."""
        driver = self._connection.connection.dbapi_connection
        return driver is not None and bool(driver.in_transaction)
