"""One product with a practice app and an API caller, for all tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser_client import Site
from tests.conftest import Clock, copied, sites
from tests.hooks.sender import Sender
from tests.programs import Program


@dataclass(frozen=True)
class Scene:
    site: Site
    program: Program
    slack: Sender
    clock: Clock


@pytest.fixture(scope="module")
def scene(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, clock = tmp_path_factory.mktemp("events"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        site = start(api_rate_limit=100_000)
        program = Program(site, site.api_key("program"))
        yield Scene(site, program, Sender(site, clock), clock)
        program.client.close()
