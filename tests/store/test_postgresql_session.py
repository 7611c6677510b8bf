"""Settings of each connection to PostgreSQL: time limits of a statement in a web process, and the time zone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from sqlalchemy import text

from onboarding.errors import StorageProblem
from onboarding.store.database import Database
from tests import postgres
from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import BrowserClient, Site, client_of
from tests.conftest import Clock, sites

# These tests create their own PostgreSQL database, so one run of them is enough.
pytestmark = [pytest.mark.once, pytest.mark.slow]

Opened = Callable[..., Database]


@pytest.fixture
def url() -> Iterator[str]:
    created = postgres.new_database()
    yield created
    postgres.drop(created)


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    databases: list[Database] = []

    def open_database(options: str = "", *, serves_requests: bool = True) -> Database:
        address = url.replace("postgresql://", "postgresql+psycopg://") + options
        databases.append(Database(address, serves_requests=serves_requests))
        return databases[-1]

    yield open_database
    for one in databases:
        one.close()


def _limits(database: Database) -> tuple[str, str]:
    with database.rows() as rows:
        lock, statement = (rows.scalar(text(f"SHOW {name}_timeout")) for name in ("lock", "statement"))
        return str(lock), str(statement)


@contextmanager
def _locked(url: str, table: str) -> Iterator[None]:
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def test_statements_of_a_web_process_are_limited_and_others_are_not(opened: Opened) -> None:
    assert _limits(opened()) == ("2s", "10s")
    assert _limits(opened(serves_requests=False)) == ("0", "0")


def test_limits_that_the_operator_chose_stay(opened: Opened, url: str) -> None:
    chosen = opened("?options=-c%20statement_timeout%3D60000%20-c%20work_mem%3D8MB")
    assert _limits(chosen) == ("2s", "1min")
    with chosen.rows() as rows:
        assert rows.scalar(text("SHOW work_mem")) == "8MB"
    with psycopg.connect(url, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE {name} SET lock_timeout = '7s'")
    assert _limits(opened()) == ("7s", "10s")


def test_lock_of_another_session_ends_a_statement_of_a_web_process(opened: Opened, url: str) -> None:
    database = opened()
    with database.changing_rows() as rows:
        rows.execute(text("CREATE TABLE names (name TEXT)"))
    with _locked(url, "names"):
        began = time.monotonic()
        with pytest.raises(StorageProblem), database.rows() as rows:
            rows.execute(text("SELECT name FROM names"))
        assert time.monotonic() - began < 10
    with database.rows() as rows:
        assert rows.execute(text("SELECT name FROM names")).all() == []


def test_requests_that_meet_a_lock_are_answered_with_503(url: str, tmp_path: Path, clock: Clock) -> None:
    with sites(url, tmp_path, clock, serves_requests=True) as start:
        site: Site = start()
        site.add_practice_app(INTEGRATION, "Northwind", "Development")
        program = Program(site, site.api_key("a program", "Development"))
        with client_of(site) as person, _locked(url, "channel_connections"):
            refused = program.asks("GET", "/v1/channel-connections")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert [person.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
        assert program.asks("GET", "/v1/channel-connections").status_code == 200


def test_requests_whose_statement_takes_too_long_are_answered_with_503(url: str, tmp_path: Path, clock: Clock) -> None:
    limited = f"{url}?options=-c%20statement_timeout%3D300"
    with sites(limited, tmp_path, clock, serves_requests=True) as start:
        site: Site = start()
        site.add_practice_app(INTEGRATION, "Northwind", "Development")
        program = Program(site, site.api_key("a program", "Development"))
        assert program.creates().status_code == 201
        with psycopg.connect(url, autocommit=True) as other, BrowserClient(site) as person:
            person.signs_in("ada@northwind.test")
            other.execute("ALTER TABLE channel_connections RENAME TO quick")
            other.execute("CREATE VIEW channel_connections AS SELECT q.* FROM quick q, pg_sleep(60)")
            began = time.monotonic()
            refused = program.asks("GET", "/v1/channel-connections")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            page = person.opens("/connections")
            assert (page.status, page.headers["Retry-After"]) == (503, "1")
            assert time.monotonic() - began < 10
            assert [person.asks("GET", path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
            other.execute("DROP VIEW channel_connections")
            other.execute("ALTER TABLE quick RENAME TO channel_connections")
        assert len(program.lists()) == 1


def test_changes_are_answered_with_503_while_the_server_is_read_only(url: str, tmp_path: Path, clock: Clock) -> None:
    """A standby is read-only. After a failover, the configured address may lead to one."""
    read_only = f"{url}?options=-c%20default_transaction_read_only%3Don"
    with sites(url, tmp_path, clock) as start, sites(read_only, tmp_path, clock) as start_standby:
        primary: Site = start()
        primary.add_practice_app(INTEGRATION, "Northwind", "Development")
        key, reading = primary.api_key("a program"), primary.api_key("reads", scopes=("connections:read",))
        assert Program(primary, key).creates(identifier="old").status_code == 201
        link, started = primary.link(), primary.runtime.links.read(primary.link().rpartition("/")[2])
        attempt = primary.runtime.installs.start_link(started)
        standby: Site = start_standby()
        assert Program(standby, reading).asks("GET", "/v1/channel-connections").status_code == 200
        program = Program(standby, key)
        for answer in (program.creates(subscriberId="bea"), program.asks("DELETE", "/v1/channel-connections/old")):
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        with BrowserClient(standby) as person:
            page = person.opens(urlsplit(link).path)
            assert page.status == 200
            assert person.presses(page, "connect").status == 503
            state = parse_qs(urlsplit(attempt.authorize_url or "").query)["state"][0]
            binding = {"Cookie": f"attempt_{attempt.attempt_id[4:12]}={attempt.binding}"}
            ended = person.asks("GET", f"/slack/oauth_redirect?state={state}&code=x", headers=binding)
            assert ended.headers["Location"] == "/slack/ended/storage_error"


def test_last_second_of_the_year_9999_is_read_back_east_of_utc(opened: Opened, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'")
    latest = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for database in (opened(), opened(serves_requests=False)):
        with database.rows() as rows:
            assert rows.scalar(text("SELECT CAST(:at AS TIMESTAMP WITH TIME ZONE)"), {"at": latest}) == latest


def test_callback_after_a_restart_of_postgresql_connects(url: str, tmp_path: Path, clock: Clock) -> None:
    with sites(url, tmp_path, clock) as start:
        site: Site = start()
        with BrowserClient(site) as person:
            consent = person.presses(person.opens(site.link()), "connect")
            with psycopg.connect(url, autocommit=True) as other:
                ended = other.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
            assert ended
            assert person.allows(consent).outcome == "connected"
