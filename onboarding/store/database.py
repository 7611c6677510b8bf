"""The database: its engine, transactions, and the translation of its errors into those of `onboarding.errors`."""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache

from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from onboarding.errors import Conflict, NotSetUp, Refused, StorageProblem
from onboarding.store import postgresql
from onboarding.store.inserts import CompiledInsert
from onboarding.store.rows import Rows
from onboarding.store.sqlite import engine as sqlite
from onboarding.store.sqlite.file_guard import FileGuard
from onboarding.store.sqlite.write_lock import WriteLock

__all__ = ["Base", "Connection", "Database", "Rows", "Session", "insert_or_ignore", "table_of"]

#: PostgreSQL's error codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNDEFINED_TABLE, _READ_ONLY, _DISK_FULL, _FOREIGN_KEY = "42P01", "25006", "53100", "23503"
_NO_TABLES = "The database is empty."
_EXISTS = "An object with this identity or identifier already exists."
_VIOLATES_FOREIGN_KEY = "An object that this change refers to no longer exists, or one that it removes is still in use."


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """One engine: `transaction()`, `changing_rows()` or `changing_one()` to write, `reading()` or `rows()` to read.

    Connections stay in autocommit, because switching one costs more than most reads; a transaction begins with a BEGIN
    of its own. On SQLite the threads of a process write in order of arrival, and SQLite's lock decides between
    processes.
    """

    def __init__(self, url: str, *, serves_requests: bool = False) -> None:
        """Create the engine. `serves_requests`: limit how long a statement of PostgreSQL may take."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._file_guard = FileGuard()
        self.engine = (
            sqlite.create(url, self._file_guard) if self.is_sqlite else postgresql.create(url, serves_requests)
        )
        self._write_lock = WriteLock()

    @contextmanager
    def transaction(self, max_wait: float | None = None) -> Iterator[Session]:
        """Commit at the end, or roll back when an exception leaves the block. Raises StorageProblem, Conflict, Refused.

        `max_wait`: how many seconds to wait for other writers of SQLite, instead of `BUSY_SECONDS`.
        """
        with self.changing_rows(max_wait) as connection:
            session = Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only")
            with session, session.begin():
                yield session

    @contextmanager
    def changing_rows(self, max_wait: float | None = None) -> Iterator[Connection]:
        """Open a transaction for Core statements, as `transaction` does for a session."""
        deadline = time.monotonic() + (sqlite.BUSY_SECONDS if max_wait is None else max_wait)
        lock = self._write_lock.held(deadline) if self.is_sqlite else nullcontext()
        with self.faults(), lock, self.engine.connect() as connection, connection.begin():
            if self.is_sqlite:
                sqlite.begin(connection, deadline)
            else:
                connection.exec_driver_sql("BEGIN")
            self._file_guard.check()
            yield connection

    def changing_one(self, rows: Connection | None = None) -> AbstractContextManager[Connection]:
        """Open a transaction for reads and one Core statement that writes.

        PostgreSQL commits that statement by itself, which saves two round trips. A row lock ends with its statement.
        `rows`: a connection of `rows()` that the caller holds. On PostgreSQL the statement runs on it; on SQLite a
        second connection opens the transaction.
        """
        if self.is_sqlite:
            return self.changing_rows()
        return self.rows() if rows is None else nullcontext(rows)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read outside any transaction. Raises StorageProblem."""
        with self.faults(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def rows(self) -> Iterator[Connection]:
        """Read with Core statements outside any transaction.

        Raises StorageProblem, and for a statement of `changing_one` also Conflict and Refused.
        """
        with self.faults(), self.engine.connect() as connection:
            yield connection

    def is_ready(self) -> bool:
        """Return whether the database answers and has its tables."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1 FROM environments LIMIT 1"))
        except StorageProblem:
            return False
        return True

    def ping(self) -> None:
        """Raise StorageProblem unless the database answers."""
        self._file_guard.check()
        with self.rows() as rows:
            rows.exec_driver_sql("SELECT 1")

    def after_fork(self) -> None:
        """Replace what a forked process must not share: its parent's open connections, and a lock that may be held."""
        self.engine.dispose(close=False)
        self._write_lock = WriteLock()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Translate SQLAlchemy's errors into StorageProblem, Conflict and Refused."""
        try:
            yield
        except (DataError, UnicodeEncodeError):
            # PostgreSQL refuses NUL and values that are too long, both databases refuse lone surrogates. Do not repeat
            # the value.
            raise Refused("A value is too long, or has characters that cannot be stored.") from None
        except (OperationalError, PoolTimeout) as error:
            if _lacks_tables(error):
                raise NotSetUp(_NO_TABLES) from error
            if _finds_full_disk(error):
                raise StorageProblem("The disk of the database is full.") from error
            raise StorageProblem() from error
        except IntegrityError as error:
            raise Conflict(_VIOLATES_FOREIGN_KEY if _violates_foreign_key(error) else _EXISTS) from error
        except DBAPIError as error:
            if _lacks_tables(error):
                raise NotSetUp(_NO_TABLES) from error
            # sqlite3 raises the general class for a damaged file and for a file that is no database.
            if error.connection_invalidated or type(error) is DatabaseError:
                raise StorageProblem("The connection to the database was lost.") from error
            # As a standby, or after a failover.
            if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
                raise StorageProblem("The database is read-only.") from error
            raise


def table_of(mapped: type[Base]) -> Table:
    """Return the table of a mapped class, for Core statements."""
    table = mapped.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{mapped.__name__} is not mapped to one table.")
    return table


def insert_or_ignore(rows: Rows, mapped: type[Base], new: Mapping[str, object]) -> bool:
    """Insert a row unless it violates a unique key. Return whether it was inserted."""
    return _insert_into(table_of(mapped)).one_if_new(rows, new)


def insert_missing(rows: Rows, mapped: type[Base], new: Sequence[Mapping[str, object]]) -> None:
    """Insert the rows that violate no unique key."""
    _insert_into(table_of(mapped)).all_if_new(rows, new)


@cache
def _insert_into(table: Table) -> CompiledInsert:
    return CompiledInsert(table)


def _lacks_tables(error: Exception) -> bool:
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) == _UNDEFINED_TABLE or str(cause).startswith("no such table")


def _violates_foreign_key(error: IntegrityError) -> bool:
    return _code_of(error) in (_FOREIGN_KEY, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)


def _finds_full_disk(error: Exception) -> bool:
    return _code_of(error) in (_DISK_FULL, sqlite3.SQLITE_FULL)


def _code_of(error: Exception) -> str | int | None:
    """Return PostgreSQL's or SQLite's error code; None for an error of the connection pool."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorcode", None)
