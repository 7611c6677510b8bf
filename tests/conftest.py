"""The running product for tests: real HTTP on a loopback socket, a real database, a real practice Slack."""

import gc
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from pydantic import SecretStr

import app as wsgi
from onboarding import runtime
from onboarding.cli.setup import set_up
from onboarding.errors import NotSetUp
from onboarding.settings import Settings
from tests import postgres, serving
from tests.browser_client import BrowserClient, Site
from tests.database_rounds import DATABASE
from tests.desk import HOST, OTHER_HOST, Desk
from tests.ports import free_port
from tests.programs import INTEGRATION, Program
from tests.routes import CompiledOnce
from tests.statements import share_compiled
from tools import catalogs

SECRET = "tests-only-7Yk2mQ9xWv4bN8rT6pLz0sHd3fGj5c"
KEY = "q1Zt8w3RkXv6Yp0sLm9Bn4Hc7Jd2Fg5TaUeIoKqWxZ0="

# `make test` has compiled them; this is for a test that is run by itself.
catalogs.compile_changed()
# Nearly every test has a site of its own; the templates and the routes of all of them are compiled once.
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache()}
Flask.url_rule_class = CompiledOnce
# The tests' own client describes every step of every request, in lines that no test reads.
logging.getLogger("httpcore").setLevel(logging.WARNING)


def pytest_collection_finish() -> None:
    """Exempt modules and tests from garbage collections: they stay until the end."""
    gc.freeze()
    # A site consists of some ten thousand objects, which would cause many collections that find nothing.
    gc.set_threshold(50_000)


class Clock:
    """A clock that tests can set forward; it runs with the real one otherwise."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database to copy from, as `onboarding setup` leaves it: made once, by the real migrations."""
    folder = tmp_path_factory.mktemp("database")
    url = postgres.new_database() if DATABASE == "postgresql" else f"sqlite:///{folder}/template.sqlite3"
    built = runtime.build(settings_for(url, folder))
    set_up(built)
    if built.database.is_sqlite:
        with built.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    built.database.close()
    return url


def settings_for(database_url: str, folder: Path, **given: object) -> Settings:
    """Return the settings of a product on a free port, in practice mode unless the arguments say otherwise."""
    values: dict[str, object] = {
        "port": free_port(),
        "database_url": SecretStr(database_url),
        "secret_key": SecretStr(SECRET),
        "encryption_keys": SecretStr(KEY),
        "instance": folder / "instance",
        **given,
    }
    return Settings.model_validate(values)


@pytest.fixture
def database_url(empty_database: str, tmp_path: Path) -> Iterator[str]:
    with copied(empty_database, tmp_path) as url:
        yield url


@contextmanager
def copied(empty_database: str, folder: Path) -> Iterator[str]:
    """Copy the database for one test, or for a module whose tests change nothing that another one reads."""
    if DATABASE == "postgresql":
        url = postgres.new_database(empty_database)
        yield url
        postgres.drop(url)
        return
    copy = folder / "test.sqlite3"
    shutil.copy(empty_database.removeprefix("sqlite:///"), copy)
    yield f"sqlite:///{copy}"


class _Listener(logging.Handler):
    """Collects log lines with a secret. The tests' own server and client are left out, because they log addresses."""

    _NOT_OURS = ("werkzeug", "httpx", "httpcore", "asyncio")

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(self._NOT_OURS) and _SECRET.search(line := record.getMessage()):
            self.lines.append(f"{record.name}: {line}")


_SECRET = re.compile(r"xox[abeprs][.-]|[?&]code=|[?&]state=|client_secret=")


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs a secret, at any level. The foreign clients of the practice Slack's tests may."""
    listener, root = _Listener(), logging.getLogger()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield
    root.removeHandler(listener)
    root.setLevel(before)
    assert listener.lines == [] or request.path.parent.name == "practice"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start_site(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Site]]:
    """Starts the product with the given settings, as often as a test calls it, with one database for all."""
    with sites(database_url, tmp_path, clock) as start:
        yield start


@contextmanager
def sites(
    database_url: str, folder: Path, clock: Clock, *, serves_requests: bool = False
) -> Iterator[Callable[..., Site]]:
    """Yield a function that starts the product with given settings, and stop all of them at the end.

    `serves_requests`: with a web process's limits of statements. The function's `with_events`: the practice Slack sends
    events.
    """
    senders: list[Any] = []

    def start(*, with_events: bool = False, **given: object) -> Site:
        settings = settings_for(database_url, folder, **given)
        built = runtime.build(settings, clock, serves_requests=serves_requests)
        share_compiled(built.database.engine)
        if not _is_set_up(built):
            set_up(built)
        product = wsgi.site(settings, built)
        running.callback(built.database.close)
        running.enter_context(serving.served(product, settings.port))
        practice = product.extensions.get("practice")
        if practice:
            # Most tests want the state before Slack's events have arrived.
            practice.extensions["practice_state"].events.is_paused = not with_events
            senders.append(practice.extensions["practice_state"].events)
        return Site(settings, built, product, practice.extensions["practice_state"] if practice else None)

    with ExitStack() as running:
        yield start
        for sender in senders:
            sender.reset()
            sender.wait_until_sent()


def _is_set_up(built: runtime.Runtime) -> bool:
    """Return whether the database is a copy of `empty_database`; some tests have one of their own."""
    try:
        return bool(built.environments.list_all())
    except NotSetUp:
        return False


@pytest.fixture
def site(start_site: Callable[..., Site]) -> Site:
    """The product in practice mode, with its practice integration `slack-practice`."""
    return start_site()


@pytest.fixture
def visitor(site: Site) -> Iterator[BrowserClient]:
    """A person with a browser of their own, signed in nowhere."""
    with BrowserClient(site) as person:
        yield person


@pytest.fixture
def operator(site: Site) -> Iterator[BrowserClient]:
    """Ada, who is signed in to the console."""
    with BrowserClient(site) as person:
        person.enters("ada@northwind.test")
        yield person


@pytest.fixture(scope="module")
def desk(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A host's server and the product, for all tests of a module."""
    folder, clock = tmp_path_factory.mktemp("desk"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        site = start(api_rate_limit=100_000)
        site.add_practice_app(INTEGRATION, "Northwind")
        site.add_practice_app("slack-other", "Southwind")
        site.allow_origin(HOST, INTEGRATION)
        site.allow_origin(OTHER_HOST, "slack-other")
        program = Program(site, site.api_key("host"))
        yield Desk(site, program, clock)
        program.client.close()


@pytest.fixture
def customer(desk: Desk) -> Iterator[BrowserClient]:
    """A customer of the desk's host."""
    with BrowserClient(desk.site) as browser:
        yield browser
