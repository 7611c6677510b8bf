"""The product with the integration of the documented example, and the clients that call it."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from onboarding import ids
from tests.browser_client import Site, client_of
from tests.clients import official
from tests.clients.official import Client
from tests.conftest import Clock, copied, sites

#: Create a key with these scopes; with all of them if none is named.
MakeKey = Callable[..., str]
#: Create the client that this run of the test is for, with a key.
Connect = Callable[[str], Client]

#: Tests send requests faster than programs do; the limit has its own test.
_FAST = {"api_rate_limit": 100_000}


@pytest.fixture
def shop_settings() -> dict[str, object]:
    """Settings of the product, which a test may parametrize."""
    return dict(_FAST)


@pytest.fixture
def shop(start_site: Callable[..., Site], shop_settings: dict[str, object]) -> Site:
    """Start the product, with the integration that the documented example names."""
    return _with_integration(start_site(**shop_settings))


@pytest.fixture(scope="module")
def standing_shop(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start one product for all tests of a module, for requests that change nothing."""
    folder = tmp_path_factory.mktemp("standing")
    with copied(empty_database, folder) as url, sites(url, folder, Clock()) as start:
        yield _with_integration(start(**_FAST))


@pytest.fixture
def make_key(shop: Site) -> MakeKey:
    return lambda *scopes: key_for(shop, *scopes)


@pytest.fixture(scope="session")
def node() -> Iterator[subprocess.Popen[str]]:
    """Start one Node process with the TypeScript client, for all tests of this process."""
    with official.start_node() as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()
        running.wait(10)


@pytest.fixture(params=["python", pytest.param("typescript", marks=pytest.mark.once)])
def client(request: pytest.FixtureRequest) -> Callable[[str, str], Client]:
    """Run the test with each of the two official clients: takes an address and a key. One is enough on PostgreSQL."""
    if request.param == "python":
        return official.Python
    node = request.getfixturevalue("node")
    return lambda address, secret: official.TypeScript(node, address, secret)


@pytest.fixture
def connect(client: Callable[[str, str], Client], shop: Site) -> Connect:
    return lambda secret: client(shop.settings.origin, secret)


@pytest.fixture
def novu(connect: Connect, make_key: MakeKey) -> Client:
    """Return an official client whose key has every scope."""
    return connect(make_key())


@pytest.fixture
def standing_novu(client: Callable[[str, str], Client], standing_shop: Site) -> Client:
    return client(standing_shop.settings.origin, key_for(standing_shop))


@pytest.fixture
def http(shop: Site) -> Iterator[httpx.Client]:
    """Return an HTTP client whose key has every scope, for details that the official clients do not show."""
    with closing(bare(shop)) as found:
        yield found


def bare(site: Site, *scopes: str) -> httpx.Client:
    headers = {"Authorization": f"ApiKey {key_for(site, *scopes)}"}
    return client_of(site, headers=headers)


def key_for(site: Site, *scopes: str, environment: str = "Development") -> str:
    return site.api_key(ids.new_id("test"), environment, scopes, None)


def fill(site: Site, *rows: tuple[str, object]) -> None:
    """Create the rows that a table of calls needs: each an address and a body."""
    with closing(bare(site)) as http:
        for path, body in rows:
            assert http.post(path, json=body).status_code == 201, (path, body)


def _with_integration(site: Site) -> Site:
    site.add_practice_app("slack-prod", "Acme", "Development", "allow")
    return site
