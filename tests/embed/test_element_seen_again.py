"""The element on a page that is loaded or seen again: it shows what has happened since."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.navigator import Customer
from tests.browser_client import BrowserClient
from tests.conftest import Clock
from tests.embed.host_page import HostPage
from tests.embed.host_site import HostSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., HostPage]


def test_another_tab_learns_of_the_connection_when_it_is_seen(visit: Visit) -> None:
    first = visit().opens()
    second = HostPage(first.host, first.page.context.new_page())
    second.page.clock.install()
    second.opens()
    second.sees("disconnected")
    first.connects()
    first.sees("connected")
    second.page.clock.fast_forward(11_000)
    second.page.evaluate("dispatchEvent(new Event('focus'))")
    second.sees("connected")
    for tab in (first, second):
        tab.got_only("connected")


def test_a_later_page_load_shows_the_connection_and_its_fault(
    host: HostSite, visit: Visit, module_clock: Clock
) -> None:
    page = visit().opens()
    page.connects()
    page.sees("connected")
    module_clock.forward(days=1)
    later = visit().opens()
    later.sees("connected")
    expect(later.element).to_contain_text("Acme HQ")
    assert later.events == []
    host.loses_access()
    page.opens()
    page.sees("attention")
    page.connects("Reconnect Slack")
    page.sees("connected")
    assert page.events[-1]["type"] == "connected"
    assert page.events[-1]["outcome"] == "reconnected"


def test_an_approval_is_shown_until_the_admin_has_installed(host: HostSite, visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).opens()
    popup = page.opens_popup()
    popup.presses("ask-admin")
    page.sees("approval")
    assert page.events == []
    for_the_admin = popup.page.locator("#approval-url").inner_text()
    popup.page.close()
    # On the next page load, and for a new session, too.
    page.opens()
    page.sees("approval")
    page.element.get_by_text("Copy link").click()
    expect(page.element.get_by_text("Copied").first).to_be_visible()
    assert page.page.evaluate("navigator.clipboard.readText()") == for_the_admin
    with BrowserClient(host.product) as admin:
        admin.connects(for_the_admin)
    page.is_seen_again()
    page.sees("connected")
    page.got_only("connected")


def test_a_computer_that_slept_learns_the_result(visit: Visit) -> None:
    page = visit()
    page.page.clock.install()
    page.opens()
    page.sees("disconnected")
    popup = page.opens_popup()
    page.page.context.set_offline(True)
    page.page.clock.run_for(10_000)
    page.page.context.set_offline(False)
    popup.presses("connect")
    popup.allows()
    popup.sees_outcome("connected")
    page.page.clock.fast_forward("08:00:00")
    page.sees("connected")
    page.got_only("connected")


def test_a_hidden_page_asks_nothing(visit: Visit) -> None:
    page = visit()
    page.page.clock.install()
    page.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    page.opens()
    page.opens_popup()
    page.sees("waiting")
    page.page.evaluate("window.isHidden = true")
    page.page.wait_for_timeout(500)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.clock.run_for(12_000)
    assert asked == []
    page.page.evaluate(
        "window.isHidden = false; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )
    page.page.wait_for_timeout(500)
    assert len(asked) == 1


def test_manage_opens_the_customer_s_own_page(visit: Visit) -> None:
    """After an install, the click creates another session. After a page load, the link has a fresh session already."""
    page = visit().opens()
    page.connects()
    page.sees("connected")
    for _ in ("in the click", "on the next page load"):
        with page.page.expect_popup() as opened:
            page.element.get_by_text("Manage").click()
        Customer(page.host.product, opened.value).is_on("manage")
        opened.value.close()
        page.opens()
        page.sees("connected")


def test_a_disconnect_on_the_customer_s_own_page_shows_at_once_on_the_return(visit: Visit) -> None:
    page = visit().opens()
    page.connects()
    page.sees("connected")
    page.opens()
    page.sees("connected")
    with page.page.expect_popup() as opened:
        page.element.get_by_text("Manage").click()
    own_page = Customer(page.host.product, opened.value)
    own_page.presses("disconnect")
    own_page.presses("confirm-disconnect")
    expect(own_page.page.locator("h1")).to_have_text("Acme HQ is disconnected")
    own_page.page.close()
    page.is_seen_again()
    page.sees("disconnected")
