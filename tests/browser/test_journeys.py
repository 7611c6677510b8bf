"""Journeys of people through the product in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.navigator import Customer, Operator
from tests.browser_client import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_three_clicks_lead_from_the_first_page_to_a_connected_workspace(customer: Callable[..., Customer]) -> None:
    newcomer = customer()
    newcomer.opens("/")
    for action in ("try", "connect", "allow"):
        expect(newcomer.page.get_by_text("nothing here is real")).to_be_visible()
        newcomer.presses(action)
    newcomer.sees_outcome("connected")
    expect(newcomer.page.locator("h1")).to_contain_text("is connected")
    expect(newcomer.page.locator("h1")).to_be_focused()


def test_customer_connects_on_a_phone_without_scripts(site: Site, customer: Callable[..., Customer]) -> None:
    offered = ("team:support", "team:sales")
    link = site.link(subscriber_id="bea", mode="subscriber", offered_context_keys=offered)
    bea = customer(viewport={"width": 375, "height": 667}, java_script_enabled=False, has_touch=True, is_mobile=True)
    bea.opens(link)
    assert bea.width == 375
    bea.presses("connect")
    bea.allows()
    bea.is_on("setup")
    bea.presses("save")
    expect(bea.page.get_by_role("alert")).to_be_visible()
    bea.page.get_by_label("sales").check()
    bea.presses("save")
    bea.sees_outcome("connected")
    assert bea.width == 375
    expect(bea.page.locator("main")).to_contain_text("sales")


def test_two_tabs_of_one_browser_both_finish(site: Site, customer: Callable[..., Customer]) -> None:
    first = customer()
    second = Customer(site, first.page.context.new_page())
    for tab in (first, second):
        tab.opens(site.link())
        tab.presses("connect")
        tab.is_on("practice-consent")
    first.allows()
    second.allows()
    first.sees_outcome("connected")
    second.sees_outcome("reconnected")


def test_approval_page_becomes_connected_by_itself(site: Site, customer: Callable[..., Customer]) -> None:
    bea, admin = customer(), customer()
    for_the_admin = bea.asks_their_admin(site.link())
    admin.connects(for_the_admin)
    admin.sees_outcome("connected")
    bea.sees_outcome("connected", within_seconds=5)


def test_approval_page_becomes_connected_by_a_refresh_without_scripts(
    site: Site, customer: Callable[..., Customer]
) -> None:
    bea, admin = customer(java_script_enabled=False), customer()
    admin.connects(bea.asks_their_admin(site.link()))
    admin.sees_outcome("connected")
    bea.page.get_by_role("link", name="Check again").click()
    bea.sees_outcome("connected")


def test_reload_and_back_keep_the_success(site: Site, customer: Callable[..., Customer]) -> None:
    bea = customer()
    bea.connects(site.link())
    bea.sees_outcome("connected")
    bea.page.reload()
    bea.sees_outcome("connected")
    bea.page.go_back()
    bea.page.go_forward()
    bea.sees_outcome("connected")


def test_operator_works_by_keyboard_alone(ada: Callable[..., Operator]) -> None:
    me = ada(viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"])
    page = me.page
    me.opens(me.invitation())
    me.presses_by_keyboard(page.get_by_role("button", name="Sign in"))
    me.is_on("connections")
    me.presses_by_keyboard(page.get_by_role("link", name="Connect a workspace"))
    me.is_on("connect-start")
    me.presses_by_keyboard(page.locator("[data-action=connect]"))
    me.is_on("practice-consent")
    me.presses_by_keyboard(page.locator("[data-action=allow]"))
    me.is_on("setup")
    _chooses_by_keyboard(me)
    me.sees_outcome("connected")
    me.presses_by_keyboard(page.get_by_role("link", name="See the connection"))
    me.is_on("connection")
    copy = page.get_by_role("button", name="Copy subscriber")
    me.presses_by_keyboard(copy)
    expect(page.get_by_role("status").filter(has_text="Subscriber copied")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == "cy"
    me.opens("/connections")
    me.presses_by_keyboard(page.locator("[data-connection] a"))
    me.presses_by_keyboard(page.locator("[data-action=disconnect]"))
    me.is_on("disconnect")
    me.presses_by_keyboard(page.locator("[data-action=confirm-disconnect]"))
    me.is_on("disconnected")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("main")).to_contain_text("Access was removed in Slack.")


def _chooses_by_keyboard(me: Operator) -> None:
    keyboard = me.page.keyboard
    subscriber = me.page.locator("[name=subscriber_id]")
    shared, own = (me.page.locator(f"[name=connection_mode][value={mode}]") for mode in ("shared", "subscriber"))
    me.reaches(own)
    keyboard.press("ArrowDown")
    expect(shared).to_be_checked()
    expect(subscriber).to_be_hidden()
    keyboard.press("ArrowUp")
    me.reaches(subscriber)
    keyboard.type("cy")
    keyboard.press("Enter")
