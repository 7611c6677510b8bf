"""The PostgreSQL of the tests: databases are separate, and no server is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests import postgres

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]


def test_two_databases_do_not_see_each_other() -> None:
    one, other = postgres.new_database(), postgres.new_database()
    _run(one, "CREATE TABLE here (number int)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        _run(other, "SELECT * FROM here")
    postgres.drop(one)
    postgres.drop(other)


def test_copy_of_a_database_contains_the_rows_of_the_original() -> None:
    original = postgres.new_database()
    _run(original, "CREATE TABLE here (number int)")
    copy = postgres.new_database(original)
    _run(copy, "SELECT * FROM here")
    postgres.drop(copy)
    postgres.drop(original)


def test_dropped_database_is_gone_despite_open_connections() -> None:
    url = postgres.new_database()
    with psycopg.connect(url):
        postgres.drop(url)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.slow
def test_killed_test_run_leaves_no_server_behind() -> None:
    program = "import sys; from tests import postgres; print(postgres.server(), flush=True); sys.stdin.read()"
    surroundings = {name: value for name, value in os.environ.items() if name != "TEST_POSTGRESQL_URL"}
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    psycopg.connect(url).close()
    run.send_signal(signal.SIGKILL)
    # The server's keeper has the run's error output too, so it ends with the keeper.
    run.communicate(timeout=30)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())
