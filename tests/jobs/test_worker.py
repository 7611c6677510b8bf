"""Durable work runs if and only if its transaction is committed, and another worker ends the work of one that died."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from onboarding.outgoing import queue
from onboarding.work import Queue, Work
from tests.browser_client import Site
from tests.conftest import KEY, SECRET
from tests.dump import count
from tests.jobs import probe
from tests.waiting import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def work(argument: str) -> Work:
    return Work(Queue.SLACK, probe.WORKFLOW, (argument,))


@contextmanager
def worker(site: Site, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        "PORT": str(site.settings.port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
    }
    process = subprocess.Popen([sys.executable, "-m", "tests.jobs.probe", str(log)], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_committed_work_runs_once_and_work_of_a_dead_worker_is_continued(site: Site, tmp_path: Path) -> None:
    database, log = site.runtime.database, tmp_path / "log"
    with database.transaction() as session:
        queue.enqueue(session, work("of a session"))
        assert queue.enqueue_once(session, work("once"), "one")
        assert not queue.enqueue_once(session, work("once"), "one"), "a duplicate does not abort the transaction"
    with database.changing_rows() as rows:
        queue.enqueue(rows, work("of a connection"))
    with database.transaction() as session:
        queue.enqueue(session, work("rolled back"))
        session.rollback()
    with worker(site, log) as first:
        committed = {"of a session", "once", "of a connection"}
        assert until(lambda: {f"done {name}" for name in committed} <= set(lines(log)), 30)
        assert sorted(lines(log)) == sorted(f"{word} {name}" for name in committed for word in ("begun", "done"))
        assert site.runtime.workers.any_alive()
        probe.hold_of(log).touch()
        with database.transaction() as session:
            queue.enqueue(session, work("held"))
        assert until(lambda: "begun held" in lines(log))
        first.kill()
        first.wait()
    probe.hold_of(log).unlink()
    with database.transaction() as session:
        session.execute(text("UPDATE workers SET seen_at = '2026-01-01 00:00:00.000000'"))
    assert not site.runtime.workers.any_alive()
    with worker(site, log):
        assert until(lambda: "done held" in lines(log), 30)
        assert lines(log)[-3:] == ["begun held", "begun held", "done held"], "no other work runs again"
        assert until(lambda: count(site.runtime.database, "workers") == 1), "the dead worker is forgotten"
