"""API callers for the tests of a module or of one test."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.browser_client import Site
from tests.conftest import Clock, copied, sites
from tests.programs import INTEGRATION as INTEGRATION
from tests.programs import Program as Program
from tests.programs import connection as connection


@pytest.fixture
def program(site: Site, make_program: Callable[..., Program]) -> Program:
    """Return a caller with every scope in Development, where the practice integration has the reference page's name."""
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    return make_program()


@pytest.fixture(scope="module")
def standing(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Return one caller for all tests of a module, for requests that are refused and so change nothing."""
    folder = tmp_path_factory.mktemp("standing")
    with copied(empty_database, folder) as url, sites(url, folder, Clock()) as start:
        site = start(api_rate_limit=100_000)
        site.add_practice_app(INTEGRATION, "Northwind", "Development")
        made = Program(site, site.api_key("program", "Development"))
        yield made
        made.client.close()


@pytest.fixture
def make_program(site: Site) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []

    def come(*scopes: str, environment: str = "Development", lifetime: timedelta | None = None) -> Program:
        key = site.api_key(f"program {len(made)}", environment, scopes, lifetime)
        made.append(Program(site, key))
        return made[-1]

    yield come
    for one in made:
        one.client.close()
