"""PostgreSQL ends our connections, as it does when it restarts: the next request after a pause succeeds."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from onboarding.errors import StorageProblem
from onboarding.store.database import Database
from tests import postgres

# On PostgreSQL whichever database this run is for.
pytestmark = [pytest.mark.once, pytest.mark.slow]

_OTHERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def url() -> Iterator[str]:
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    _asks(opened)
    yield opened
    opened.close()


def test_connection_that_ended_while_it_rested_is_replaced_unseen(database: Database, url: str) -> None:
    _ends_all(url)
    time.sleep(1.1)
    _asks(database)


def test_connection_that_ended_a_moment_ago_is_replaced_unseen(database: Database, url: str) -> None:
    for _ in range(3):
        _ends_all(url)
        _asks(database)
        _ends_all(url)
        with database.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_connection_that_ends_in_use_is_reported_and_the_next_is_new(database: Database, url: str) -> None:
    with pytest.raises(StorageProblem):
        _asks_after(database, lambda: _ends_all(url))
    _asks(database)


def test_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing")
        began = time.monotonic()
        with pytest.raises(StorageProblem):
            _asks(database)
    assert time.monotonic() - began < 20


def test_server_that_falls_silent_is_given_up(database: Database, url: str) -> None:
    """No packet can be lost on loopback: the kernel is asked what it would do."""
    assert _silence_seconds(database) == 10
    patient = Database(url.replace("postgresql://", "postgresql+psycopg://") + "?tcp_user_timeout=60000")
    assert _silence_seconds(patient) == 60
    patient.close()


def _silence_seconds(database: Database) -> float:
    with database.rows() as rows:
        driver: Any = rows.connection.dbapi_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            return line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000


def _asks(database: Database) -> None:
    _asks_after(database, lambda: None)


def _asks_after(database: Database, event: Callable[[], None]) -> None:
    with database.rows() as rows:
        event()
        assert rows.scalar(text("SELECT 1")) == 1


def _ends_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_OTHERS)
