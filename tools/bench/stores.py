"""Both databases: create new ones, measure their processor time and how many commits per second they can do at all."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests import postgres

NAMES = ("sqlite", "postgresql")
_POSTGRESQL_WRITERS = 8

Connection = sqlite3.Connection | psycopg.Connection


@dataclass(frozen=True)
class Store:
    name: str
    folder: Path

    @property
    def is_sqlite(self) -> bool:
        return self.name == "sqlite"

    def new_database(self, name: str) -> str:
        """Create an empty database and return its address."""
        return f"sqlite:///{self.folder / name}.sqlite3" if self.is_sqlite else postgres.new_database()

    def cpu_seconds(self, url: str) -> float:
        """Return the processor time of the database's own processes for its present connections; SQLite has none."""
        if self.is_sqlite:
            return 0.0
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        with psycopg.connect(postgres.server(), autocommit=True) as connection:
            backends = connection.execute(query, [urlsplit(url).path.removeprefix("/")]).fetchall()
        return sum(_nanoseconds(pid) for (pid,) in backends) / 1e9

    def count(self, url: str, table: str) -> int:
        query = f"SELECT count(*) FROM {table}"  # noqa: S608  # the name of a table
        with closing(
            sqlite3.connect(url.removeprefix("sqlite:///")) if self.is_sqlite else psycopg.connect(url)
        ) as connection:
            (number,) = connection.execute(query).fetchone() or (0,)
        return int(number)

    def tend(self, url: str) -> None:
        """Do the work of PostgreSQL's autovacuum some minutes after a fill. SQLite does nothing by itself."""
        if not self.is_sqlite:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")

    def raw_commits_per_second(self, seconds: float) -> float:
        """Measure durable commits of one short row, by the driver alone: one writer on SQLite, eight on PostgreSQL."""
        url = self.new_database("raw")
        if self.is_sqlite:
            return _commits(lambda: _durable(url.removeprefix("sqlite:///")), 1, seconds)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE raw (id bigserial PRIMARY KEY, body text)")
        return _commits(lambda: psycopg.connect(url, autocommit=True), _POSTGRESQL_WRITERS, seconds)


def _commits(connect: Callable[[], Connection], writers: int, seconds: float) -> float:
    done: list[int] = []
    end = time.perf_counter() + seconds

    def write_on() -> None:
        count = 0
        with closing(connect()) as connection:
            while time.perf_counter() < end:
                connection.execute("INSERT INTO raw (body) VALUES ('a row of some forty characters, no more')")
                count += 1
        done.append(count)

    threads = [threading.Thread(target=write_on) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _durable(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, body TEXT)")
    return connection


def _nanoseconds(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except OSError:
        return 0
