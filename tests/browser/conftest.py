"""Browsers for the persons in these tests: each has its own context, which is closed after the test."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chromium
from tests.browser.navigator import Customer, Navigator, Operator
from tests.browser_client import Site

Person = TypeVar("Person", bound=Navigator)


# Module scope: a second Playwright cannot start in this thread while one of another folder still runs.
@pytest.fixture(scope="module")
def product_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def customer(site: Site, product_browser: Browser) -> Iterator[Callable[..., Customer]]:
    """Return a function that opens a browser for a customer; it takes the arguments of Playwright's `new_context`."""
    yield from _persons(Customer, site, product_browser)


@pytest.fixture
def ada(site: Site, product_browser: Browser) -> Iterator[Callable[..., Operator]]:
    """Return a function that opens a browser for Ada, an operator who is not signed in, with Playwright's arguments."""
    yield from _persons(Operator, site, product_browser)


def _persons(kind: type[Person], site: Site, browser: Browser) -> Iterator[Callable[..., Person]]:
    contexts = []

    def come(**browser_options: Any) -> Person:
        context = browser.new_context(**browser_options)
        contexts.append(context)
        return kind(site, context.new_page())

    yield come
    for context in contexts:
        context.close()
