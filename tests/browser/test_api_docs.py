"""The API reference in a browser: both themes, narrow and wide, with and without scripts."""

from collections.abc import Callable

import pytest

from tests.browser.navigator import Customer
from tests.browser.test_accessibility import holds_wide_too

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_everybody_can_read_the_reference(customer: Callable[..., Customer]) -> None:
    reader = customer()
    for address in ("/docs", "/docs/channel-connections", "/docs/errors"):
        reader.opens(address)
        reader.is_on("api-docs")
        holds_wide_too(reader.page)


def test_code_keeps_its_lines_on_a_phone(customer: Callable[..., Customer]) -> None:
    """A long line scrolls inside its frame. The keyboard scrolls it, too."""
    reader = customer(viewport={"width": 320, "height": 640})
    reader.opens("/docs/channel-connections")
    code = reader.page.locator("#request-create-channel-connection")
    lines = code.inner_text().count("\n") + 1
    heights = code.evaluate("code => [code.parentElement.clientHeight, parseFloat(getComputedStyle(code).lineHeight)]")
    assert heights[0] < (lines + 3) * heights[1]
    frame = code.locator("xpath=..")
    assert frame.evaluate("frame => frame.scrollWidth > frame.clientWidth && frame.tabIndex === 0")
    assert reader.width <= 320


def test_contents_lead_to_an_endpoint_without_script(customer: Callable[..., Customer]) -> None:
    reader = customer(java_script_enabled=False)
    reader.opens("/docs")
    for link in ("Contexts", "Create a context"):
        reader.page.locator(".contents summary").click()
        reader.page.locator(".contents").get_by_role("link", name=link).click()
    assert reader.page.url.endswith("/docs/contexts#create-context")
