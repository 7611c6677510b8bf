"""The SQLAlchemy engine for a SQLite file, and how its transactions begin."""

import os
import sqlite3
import sys
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from onboarding import concurrency
from onboarding.errors import SettingsProblem, StorageProblem
from onboarding.store.sqlite.file_guard import FileGuard

#: How long a transaction waits for other writers, of this process and of others.
BUSY_SECONDS = 10.0
_RETRY_SECONDS = 0.001
#: RETURNING came with 3.35. On Python 3.12 and newer, DBOS uses `unixepoch('subsec')`, which is NULL before 3.42.
_OLDEST_SQLITE = (3, 42) if sys.version_info >= (3, 12) else (3, 35)


def create(url: str, guard: FileGuard) -> Engine:
    """Create an engine whose pooled connections are durable, check foreign keys and are in autocommit.

    All of them are to the file that the first one opened; `guard` refuses others. Raises SettingsProblem if
    Python's SQLite is too old.
    """
    _check_version()
    engine = create_engine(
        url,
        pool_size=concurrency.THREADS,
        max_overflow=16,
        # Reuse the same few connections: each has a cache of the file.
        pool_use_lifo=True,
        # Keep values out of error messages, and so out of logs.
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "do_connect")
    def _check_file(*_arguments: Any) -> None:
        # sqlite3 would create an empty file where it was deleted.
        guard.check()

    @event.listens_for(engine, "do_connect")
    def _create_file(_dialect: Any, _record: Any, arguments: list[Any], _options: dict[str, Any]) -> None:
        _create_private(arguments[0])

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # sqlite3 would begin transactions by itself and too late; `Database` begins them with BEGIN IMMEDIATE.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        guard.remember(connection.execute("PRAGMA database_list").fetchone()[2])

    return engine


def begin(connection: Connection, deadline: float) -> None:
    """Begin a transaction that writes; while another process writes, try again every millisecond until `deadline`.

    SQLite itself would sleep longer after each try, up to a tenth of a second, and later writers would overtake it.
    `deadline` is a time of `time.monotonic`. Raises StorageProblem after it.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while not _has_begun(driver):
            if time.monotonic() > deadline:
                raise StorageProblem("The database is busy.")
            time.sleep(_RETRY_SECONDS)
    except sqlite3.Error as error:
        raise StorageProblem() from error
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def _check_version() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        python, needed = sys.version_info, ".".join(map(str, _OLDEST_SQLITE))
        raise SettingsProblem(
            f"Python {python.major}.{python.minor} needs SQLite {needed} or newer, and this one has {sqlite3.sqlite_version}. "
            "Use another Python, or set DATABASE_URL to a PostgreSQL database."
        )


def _has_begun(driver: sqlite3.Connection) -> bool:
    """Return False while another connection writes."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        # The low byte of an extended error code is its general one.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _create_private(path: str) -> None:
    """Create a missing database file for its owner only; SQLite gives its side files the same mode.

    A path that cannot be created is left to SQLite, which reports it.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
