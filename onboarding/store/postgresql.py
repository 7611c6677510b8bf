"""The SQLAlchemy engine for PostgreSQL."""

import select
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

#: A connection that was unused for longer is tested before it is used again.
_TRUSTED_SECONDS = 1.0
#: libpq's connection parameters where DATABASE_URL sets no others. Without them the kernel waits a quarter of an hour
#: for a server that no longer answers, and every thread with it.
_TIMEOUTS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
#: With a time zone east of UTC, PostgreSQL would return the last hours of the year 9999 as times that Python cannot
#: hold. Each query of a large table has an index, but PostgreSQL plans a repeated query without its values and would
#: rather scan the whole table, in parallel, where a filter may match many rows.
_SETTINGS = """SELECT set_config('TimeZone', 'UTC', false), set_config('enable_seqscan', 'off', false),
set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false)"""
#: Limits of a statement in a web process, in milliseconds, where neither DATABASE_URL's `options` nor the database or
#: its role sets another. Commands and migrations have no limit.
_LIMITS = """SELECT set_config(name, CASE name WHEN 'lock_timeout' THEN '2000' ELSE '10000' END, false)
FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout') AND source = 'default'"""


def create(url: str, is_limited: bool) -> Engine:
    """Create an engine in autocommit whose connections are tested before each use.

    `is_limited`: end a statement that waits for a lock, or runs, for too long.
    """
    engine = create_engine(
        url,
        pool_size=32,
        max_overflow=48,
        # Reuse the same few connections, so that the time without use says which ones need a test.
        pool_use_lifo=True,
        isolation_level="AUTOCOMMIT",
        # Keep values out of error messages, and so out of logs.
        hide_parameters=True,
        connect_args={name: value for name, value in _TIMEOUTS.items() if name not in make_url(url).query},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute(_SETTINGS)
        if is_limited:
            connection.execute(_LIMITS)

    @event.listens_for(engine, "checkin")
    def _note_time(_connection: Any, record: Any) -> None:
        record.info["unused_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _test(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        is_trusted = now - record.info.get("unused_since", now) < _TRUSTED_SECONDS
        try:
            if not is_trusted or _has_input(connection):
                connection.execute("SELECT 1")
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    return engine


def _has_input(connection: Any) -> bool:
    """Return whether the server has sent something unasked, as it does when it closes the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
