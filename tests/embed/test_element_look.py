"""The element speaks the language of the page, names the product and has its color."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.embed.host_page import ELEMENT, HostPage
from tests.embed.host_site import HostSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., HostPage]


def test_texts_are_german_where_the_page_is(visit: Visit) -> None:
    page = visit().opens(lang="de")
    page.sees("disconnected")
    expect(page.element).to_contain_text("Slack verbinden")
    page.page.evaluate("document.querySelector('slack-connect').lang = 'en'")
    expect(page.element).to_contain_text("Connect Slack")


def test_the_popup_has_the_language_of_the_element_until_the_person_chooses(visit: Visit) -> None:
    page = visit(locale="en-US").opens(lang="de-AT")
    page.sees("disconnected")
    popup = page.opens_popup("Slack verbinden").page
    expect(popup.locator("h1")).to_have_text("Slack mit Northwind verbinden")
    popup.get_by_role("link", name="English").click()
    expect(popup.locator("h1")).to_have_text("Connect Slack to Northwind")
    popup.close()
    popup = page.opens_popup("Warten auf Slack").page
    expect(popup.locator("h1")).to_have_text("Connect Slack to Northwind")


def test_the_element_names_the_product_and_has_its_color(host: HostSite, visit: Visit) -> None:
    page = visit().opens()
    group = page.page.get_by_role("group", name="Northwind")
    expect(group.get_by_text("Connect Slack")).to_be_visible()
    color = "element => getComputedStyle(element.shadowRoot.querySelector('[part=frame]')).borderColor"
    assert page.element.evaluate(color) == "rgb(221, 221, 221)"
    host.product.change_integration("slack-practice", accent_color="#b3261e")
    try:
        page.opens()
        page.sees("disconnected")
        assert page.element.evaluate(color) == "rgb(179, 38, 30)"
    finally:
        host.product.change_integration("slack-practice", accent_color="")


def test_an_approval_keeps_the_element_s_height_on_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 375, "height": 700})
    page.opens(f'<div style="font-family: monospace">{ELEMENT}</div>', lang="de")
    page.sees("disconnected")
    below = page.page.locator("#below")
    before = below.bounding_box()
    popup = page.opens_popup("Slack verbinden")
    popup.presses("ask-admin")
    page.sees("approval")
    assert below.bounding_box() == before
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 375
