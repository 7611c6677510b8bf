"""The engine, its transactions, and what each database needs to behave."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.session import JoinTransactionMode

from onboarding import concurrency
from onboarding.errors import Conflict, Refused, StorageProblem
from onboarding.store.compiled import CompiledStatement
from onboarding.store.group_commit import GroupCommit

__all__ = ["Base", "BeforeCommit", "Database", "Rows", "Session", "insert_or_ignore", "table_of"]

#: What runs statements that are written on tables: either way of reading will do.
Rows = Session | Connection
#: What a caller wants done in the transaction that makes a record, before it commits.
BeforeCommit = Callable[[Rows, Any], None]
_BUSY_MILLISECONDS = 10_000
#: A connection that rested longer is asked whether the server is still there.
_TRUSTED_SECONDS = 1.0
#: libpq's, where the address of the database says nothing else. A server that fell silent is given up for gone: without
#: them the kernel waits for a quarter of an hour, and every thread with it.
_PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_BEGIN = CompiledStatement(text("BEGIN"))
_UNDEFINED_TABLE = "42P01"
_NO_TABLES = "The database is empty. Run `flask --app app setup` first."


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
    """One engine. Writers go through `transaction()` or `changing_rows()`, readers through `reading()` or `rows()`.

    Its connections are in autocommit for good, since to switch costs more than most reads: transactions begin by hand.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)
        self._group_commit = self._queue()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing. Raises StorageProblem when the database is locked or gone, Conflict when a constraint says no."""
        with self.faults(), self._changing() as connection:
            # Of a transaction that is shared, a session may take back no more than its own part.
            joining: JoinTransactionMode = "create_savepoint" if self.is_sqlite else "rollback_only"
            with Session(connection, expire_on_commit=False, join_transaction_mode=joining) as session, session.begin():
                yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Reads outside any transaction. Raises StorageProblem."""
        with self.faults(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def rows(self) -> Iterator[Connection]:
        """As `reading()`, for hot paths that read rows of tables. Raises StorageProblem."""
        with self.faults(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def changing_rows(self) -> Iterator[Connection]:
        """As `transaction()`, for hot paths that write rows of tables. Raises StorageProblem, Conflict."""
        with self.faults(), self._changing() as connection:
            yield connection

    def is_ready(self) -> bool:
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1 FROM environments LIMIT 1"))
        except StorageProblem:
            return False
        return True

    def after_fork(self) -> None:
        """In the forked process: connections belong to its parent, and are neither used nor closed here.

        The files of the queue are closed: a lock lasts as long as any process has its file open.
        """
        self.engine.dispose(close=False)
        if self._group_commit is not None:
            self._group_commit.close()
        self._group_commit = self._queue()

    def close(self) -> None:
        self.engine.dispose()
        if self._group_commit is not None:
            self._group_commit.close()

    def _queue(self) -> GroupCommit | None:
        return GroupCommit(self.engine, str(self.url.database)) if self.is_sqlite else None

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        if self._group_commit is not None:
            with self._group_commit.changing() as connection:
                yield connection
        else:
            with self.engine.connect() as connection, connection.begin():
                _BEGIN.run(connection, {})
                yield connection

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turns the library's errors into ours: StorageProblem, Conflict, Refused."""
        try:
            yield
        except (DataError, UnicodeEncodeError):
            # PostgreSQL takes no NUL and nothing too long, neither database takes half a character. The value is not repeated.
            raise Refused("A value is too long, or has characters that cannot be kept.") from None
        except (OperationalError, PoolTimeout) as error:
            raise StorageProblem(_NO_TABLES if _lacks_tables(error) else "The database did not answer.") from error
        except IntegrityError as error:
            raise Conflict("A row of that identity or identifier exists.") from error
        except DBAPIError as error:
            if _lacks_tables(error):
                raise StorageProblem(_NO_TABLES) from error
            # SQLite has no better class than the general one for a file that is damaged or no database at all.
            if error.connection_invalidated or type(error) is DatabaseError:
                raise StorageProblem("The database went away.") from error
            raise


def table_of(mapped: type[Base]) -> Table:
    """For the hot paths, whose statements are written on the table itself."""
    found = mapped.__table__
    if not isinstance(found, Table):
        raise TypeError("Every class of ours is mapped to one table.")
    return found


def insert_or_ignore(rows: Rows, mapped: type[Base], new: Sequence[Mapping[str, object]]) -> int:
    """Inserts the rows that are not there yet, whichever unique key says so. How many were inserted."""
    bind = rows if isinstance(rows, Connection) else rows.get_bind()
    statement = _insert_or_ignore(table_of(mapped), bind.dialect.name)
    return sum(statement.first(rows, row) is not None for row in new)


@cache
def _insert_or_ignore(table: Table, dialect: str) -> CompiledStatement:
    new = (sqlite if dialect == "sqlite" else postgresql).insert(table).on_conflict_do_nothing()
    # psycopg does not count what an insert left out, so the rows that were inserted are asked back.
    return CompiledStatement(new.returning(*table.primary_key.columns))


def _lacks_tables(error: Exception) -> bool:
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) == _UNDEFINED_TABLE or str(cause).startswith("no such table")


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=concurrency.THREADS,
        max_overflow=16,
        # The same few are used again and again: each keeps a cache of the file.
        pool_use_lifo=True,
        # What a statement is given never gets into an error's words, and so into no log.
        hide_parameters=True,
        connect_args={"timeout": _BUSY_MILLISECONDS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # sqlite3 would open transactions by itself and at the wrong moment; ours begin with BEGIN IMMEDIATE.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MILLISECONDS}"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=32,
        max_overflow=48,
        # The same few are asked again and again, so the rest can be told by how long they rested.
        pool_use_lifo=True,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={name: value for name, value in _PATIENCE.items() if name not in make_url(url).query},
    )

    @event.listens_for(engine, "checkin")
    def _rests(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _lives(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        if now - record.info.get("rests_since", now) < _TRUSTED_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError from gone

    return engine
