"""An operator finds a broken connection, sends its customer a link, and sees the connection work again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.navigator import Customer, Operator
from tests.browser_client import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("press", "browser"),
    [
        (Operator.presses_by_keyboard, {"permissions": ["clipboard-read", "clipboard-write"]}),
        (lambda _me, target: target.click(), {"java_script_enabled": False, "viewport": {"width": 375, "height": 800}}),
    ],
    ids=["keyboard", "without scripts on a phone"],
)
def test_broken_connection_is_found_and_repaired(
    press: Callable[[Operator, Locator], None],
    browser: dict[str, object],
    site: Site,
    ada: Callable[..., Operator],
    customer: Callable[..., Customer],
) -> None:
    list(site.runtime.demo_connections.create("Development", 150))
    me, bea = ada(**browser), customer()
    me.signs_in()
    page, status = me.page, me.page.get_by_label("Status", exact=True)
    if status.is_hidden():
        press(me, page.get_by_label("More filters"))
    me.reaches(status)
    status.select_option("needs_reconnect")
    press(me, page.get_by_role("button", name="Filter"))
    broken = page.locator("[data-connection]").first
    expect(broken.get_by_text("Needs reconnect")).to_be_visible()
    identifier = broken.get_attribute("data-connection")
    press(me, broken.get_by_role("link"))
    expect(page.get_by_text("The connection no longer works.")).to_be_visible()
    press(me, page.locator("[data-action=reconnect-link]"))
    me.is_on("link")
    link = page.locator("#link-url").inner_text()
    if browser.get("java_script_enabled", True):
        press(me, page.get_by_role("button", name="Copy the link"))
        assert page.evaluate("navigator.clipboard.readText()") == link
    bea.connects(link)
    bea.sees_outcome("reconnected")
    press(me, page.get_by_role("link", name="Back to the connection"))
    expect(page.get_by_text("The connection works.")).to_be_visible()
    assert page.url.rpartition("/")[2] == identifier
