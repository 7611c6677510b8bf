"""Browsers for the people of these tests: each has a context of their own, closed after the test."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chromium
from tests.browser.navigator import Customer, Navigator, Operator
from tests.browser_client import Site

Person = TypeVar("Person", bound=Navigator)


# One module long: a second Playwright cannot start in this thread while one of another folder still runs.
@pytest.fixture(scope="module")
def product_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def customer(site: Site, product_browser: Browser) -> Iterator[Callable[..., Customer]]:
    """Makes a customer with a browser of their own; takes what Playwright's `new_context` takes."""
    yield from _people(Customer, site, product_browser)


@pytest.fixture
def ada(site: Site, product_browser: Browser) -> Iterator[Callable[..., Operator]]:
    """Makes Ada, an operator who is not signed in yet; takes what Playwright's `new_context` takes."""
    yield from _people(Operator, site, product_browser)


def _people(kind: type[Person], site: Site, browser: Browser) -> Iterator[Callable[..., Person]]:
    contexts = []

    def come(**browser_options: Any) -> Person:
        context = browser.new_context(**browser_options)
        contexts.append(context)
        return kind(site, context.new_page())

    yield come
    for context in contexts:
        context.close()
