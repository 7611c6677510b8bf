"""Locks that a test holds, so that a process waits at a chosen statement: a row of PostgreSQL, or SQLite's writer."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.browser_client import Site
from tests.waiting import until

#: Without it, a statement of a web process waits for two seconds at most.
PATIENT = "options=-c%20lock_timeout%3D60000%20-c%20statement_timeout%3D60000"


@contextmanager
def held(site: Site, rows: dict[str, list[str]]) -> Iterator[None]:
    """Hold the rows of tables: the table's name, and their ids. On SQLite, no other process can write then."""
    if site.runtime.database.is_sqlite:
        writer = sqlite3.connect(site.runtime.database.url.database or "", isolation_level=None, timeout=10)
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.rollback()
        writer.close()
        return
    with psycopg.connect(site.settings.database_url.get_secret_value()) as connection:
        for table, ids in rows.items():
            query = f"SELECT id FROM {table} WHERE id = ANY(%s) FOR UPDATE"  # noqa: S608  # names of ours
            assert len(connection.execute(query, [ids]).fetchall()) == len(ids), (table, ids)
        yield
        connection.rollback()


def wait_until_held(site: Site, number: int) -> None:
    """Wait until `number` transactions wait for the locks. SQLite does not show them."""
    if site.runtime.database.is_sqlite:
        time.sleep(0.4)
        return
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with site.runtime.database.rows() as rows:
        assert until(lambda: rows.exec_driver_sql(query).scalar_one() == number, 20), (
            number,
            rows.exec_driver_sql(query).scalar_one(),
        )
