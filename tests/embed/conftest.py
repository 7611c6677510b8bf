"""A product, a host's site on another origin, and a browser, for all tests of a module."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chromium
from tests.browser_client import Site
from tests.conftest import Clock, copied, sites
from tests.embed.host_page import HostPage
from tests.embed.host_site import HostSite, serving

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def module_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def product(empty_database: str, tmp_path_factory: pytest.TempPathFactory, module_clock: Clock) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("product")
    with copied(empty_database, folder) as url, sites(url, folder, module_clock) as start:
        yield start()


@pytest.fixture(scope="module")
def module_host(product: Site) -> Iterator[HostSite]:
    with serving(product) as host:
        yield host


@pytest.fixture
def host(module_host: HostSite) -> HostSite:
    """Return the host's site with a customer of its own for this test."""
    module_host.forget()
    module_host.terms["subscriberId"] = f"customer-{next(_numbers)}"
    return module_host


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser that keeps no cookies of third parties and blocks popups that no click opens."""
    with sync_playwright() as playwright:
        started = chromium.launch(playwright, "--test-third-party-cookie-phaseout", blocks_popups=True)
        yield started
        started.close()


@pytest.fixture
def visit(host: HostSite, browser: Browser) -> Iterator[Callable[..., HostPage]]:
    """Return a function that opens the host's page in a new browser profile; it takes arguments of `new_context`."""
    contexts = []

    def come(**options: Any) -> HostPage:
        context = browser.new_context(**options)
        contexts.append(context)
        return HostPage(host, context.new_page())

    yield come
    for context in contexts:
        context.close()
