"""The API reference in a browser: both themes, narrow and wide, with and without scripts."""

from collections.abc import Callable

import pytest

from tests.browser.navigator import Customer
from tests.browser.test_accessibility import holds

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_everybody_can_read_the_reference(customer: Callable[..., Customer]) -> None:
    reader = customer()
    reader.opens("/docs")
    reader.is_on("api-docs")
    holds(reader.page)


def test_contents_lead_to_an_endpoint_without_script(customer: Callable[..., Customer]) -> None:
    reader = customer(java_script_enabled=False)
    reader.opens("/docs")
    reader.page.locator(".contents summary").click()
    reader.page.get_by_role("link", name="Create a context").click()
    assert reader.page.url.endswith("#create-context")
