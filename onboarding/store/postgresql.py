"""The SQLAlchemy engine for PostgreSQL."""

import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

#: A connection that was unused for longer is tested before it is used again.
_TRUSTED_SECONDS = 1.0
#: libpq's connection parameters where DATABASE_URL sets no others. Without them the kernel waits a quarter of an hour for a
#: server that no longer answers, and every thread with it.
_TIMEOUTS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}


def create(url: str) -> Engine:
    """Create an engine in autocommit that tests a connection only after it was unused for a second."""
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

    @event.listens_for(engine, "checkin")
    def _note_time(_connection: Any, record: Any) -> None:
        record.info["unused_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _test(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        if now - record.info.get("unused_since", now) < _TRUSTED_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    return engine
