"""The card: a frame on a page of another site, which loads no script of ours."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, expect

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests import pictures
from tests.browser.navigator import Customer
from tests.browser_client import Site, client_of
from tests.embed.host_page import HostPage
from tests.embed.host_site import HostSite, serving
from tests.embed.test_element_access import AXE

pytestmark = pytest.mark.once

Visit = Callable[..., HostPage]

_LISTENS = """<script>addEventListener("message", ({origin, data}) => {
  const type = data.type.slice(14);
  if (/^slack-connect:/.test(data.type)) (window.messages ??= []).push([type, origin, type === "statechange" ? data.detail.state : data.detail.outcome]);
});</script>"""


def card_of(session: dict[str, Any], host: HostSite, query: str = "", *, with_token: bool = True) -> str:
    fragment = f"#{session['token']}" if with_token else ""
    address = f"{host.product.settings.origin}/embed/card?session={session['id']}{query}{fragment}"
    return f'<iframe src="{address}" width="480" height="190" title="Slack"></iframe>'


@pytest.mark.browser
@pytest.mark.slow
def test_the_card_connects_and_sends_the_page_one_event(host: HostSite, visit: Visit) -> None:
    session = host.create_session()
    page = visit()
    sent: list[str] = []
    page.page.on("request", lambda request: sent.append(request.url))
    page.opens(card_of(session, host), head=_LISTENS)
    card = page.page.frame_locator("iframe")
    expect(card.get_by_text("Get updates in your Slack workspace.")).to_be_visible()
    # A browser sends no fragment, so no server and no proxy sees the token.
    assert not [url for url in sent if session["token"] in url.partition("#")[0]]
    _connects(page, card)
    expect(card.get_by_text("Acme HQ", exact=True)).to_be_visible()
    expect(card.get_by_text("Updates can reach this workspace.")).to_be_visible()
    messages = page.page.evaluate("window.messages")
    assert [message for message in messages if message[0] != "statechange"] == [
        ["connected", host.product.settings.origin, "connected"]
    ]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_card_that_waits_for_an_approval_covers_no_text(language: str, host: HostSite, visit: Visit) -> None:
    session = host.create_session()
    page = visit(viewport={"width": 480, "height": 190}).page
    customer = Customer(host.product, page)
    page.goto(session["url"])
    customer.presses("ask-admin")
    fragment = f"&lang={language}#{session['token']}"
    page.goto(f"{host.product.settings.origin}/embed/card?session={session['id']}{fragment}")
    expect(page.get_by_role("button", name="Copy link" if language == "en" else "Link kopieren")).to_be_visible()
    text, control = (page.locator(name).bounding_box() for name in (".card-line", "slack-connect [part]"))
    assert text
    assert control
    assert text["y"] + text["height"] <= control["y"]
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [480, 190]


@pytest.mark.browser
@pytest.mark.parametrize("size", [(40, 40), (300, 100)])
def test_a_wide_logo_and_links_leave_the_card_its_size(size: tuple[int, int], host: HostSite, visit: Visit) -> None:
    look = {"support_url": "https://help.example", "privacy_url": "https://example.com/p"}
    host.product.change_integration("slack-practice", logo=pictures.picture(size=size), **look)
    page = visit(viewport={"width": 480, "height": 190}).page
    customer = Customer(host.product, page)
    try:
        for approval in (False, True):
            session = host.create_session()
            if approval:
                page.goto(session["url"])
                customer.presses("ask-admin")
            fragment = f"&lang=de#{session['token']}"
            page.goto(f"{host.product.settings.origin}/embed/card?session={session['id']}{fragment}")
            expect(page.get_by_text("Link kopieren" if approval else "Slack verbinden")).to_be_visible()
            boxes = [page.locator(name).bounding_box() for name in (".card-head", "slack-connect [part]")]
            assert all(boxes)
            head, control = (box for box in boxes if box)
            beside = head["x"] + head["width"] <= control["x"]
            assert beside or head["y"] + head["height"] <= control["y"], boxes
            texts = page.locator(".card-head h1, .card-line, .card-links a").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().right)"
            )
            assert max(texts) <= head["x"] + head["width"], (texts, head)
            assert page.evaluate("document.documentElement.scrollHeight") == 190, boxes
    finally:
        host.product.change_integration("slack-practice", remove_logo=True, **dict.fromkeys(look, ""))


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_can_send_the_token_in_a_message(host: HostSite, visit: Visit) -> None:
    session = host.create_session()
    page = visit().opens(card_of(session, host, "&theme=dark&lang=de&size=small", with_token=False), head="")
    card = page.page.frame_locator("iframe")
    expect(card.locator("h1")).to_be_visible()
    page.page.evaluate("token => frames[0].postMessage({type: 'slack-connect:session', token}, '*')", session["token"])
    expect(card.get_by_text("Slack verbinden")).to_be_visible()
    assert card.locator("body").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(22, 24, 34)"


@pytest.mark.browser
@pytest.mark.slow
def test_a_site_that_is_not_allowed_cannot_show_the_card(host: HostSite, visit: Visit) -> None:
    session = host.create_session()
    with serving(host.product, is_allowed=False) as other:
        page = visit()
        page.page.goto(other.shows(card_of(session, host), head=""))
        page.page.wait_for_timeout(500)
        assert page.page.frames[1].url.startswith("chrome-error:")


@pytest.mark.browser
@pytest.mark.slow
def test_the_card_with_the_product_s_look_is_accessible_in_both_themes(host: HostSite, visit: Visit) -> None:
    look = {"accent_color": "#b3261e", "support_url": "https://help.example", "privacy_url": "https://example.com/p"}
    host.product.change_integration("slack-practice", logo=pictures.picture(), **look)
    page = visit(viewport={"width": 375, "height": 300}).page
    try:
        for theme in ("light", "dark"):
            session = host.create_session()
            page.goto(
                f"{host.product.settings.origin}/embed/card?session={session['id']}&theme={theme}#{session['token']}"
            )
            expect(page.get_by_role("heading")).to_have_text("Northwind and Slack")
            expect(page.get_by_role("group", name="Northwind")).to_contain_text("Connect Slack")
            expect(page.get_by_role("img", name="Northwind")).to_be_visible()
            found = Axe().run(page, options=AXE)
            assert found.violations_count == 0, f"{theme}\n{found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= 375
            sizes = page.locator("a, button").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().toJSON())"
            )
            # The frame's border belongs to what is pressed.
            assert min(min(one["width"], one["height"] + 2) for one in sizes) >= 44, sizes
    finally:
        host.product.change_integration("slack-practice", remove_logo=True, **dict.fromkeys(look, ""))


def test_only_the_allowed_origins_may_frame_the_card(host: HostSite) -> None:
    session = host.create_session()
    with client_of(host.product) as http:
        http.get(session["url"])
        card = http.get(f"/embed/card?session={session['id']}")
    ours = host.product.settings.origin
    assert card.status_code == 200
    # The product itself is the playground, which shows practice integrations.
    assert f"frame-ancestors {host.origin} {ours}" in card.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in card.headers
    assert card.headers["Cache-Control"] == "no-store"
    for name in ("Set-Cookie", "Vary"):
        assert name not in card.headers


@pytest.mark.parametrize("query", ["", "?session=", "?session=cs_unknown", "?session=%00"])
def test_a_card_without_a_session_is_a_page_that_nobody_may_frame(query: str, host: HostSite) -> None:
    with client_of(host.product) as http:
        answer = http.get(f"/embed/card{query}")
    assert answer.status_code in (400, 404)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_card_of_a_real_slack_app_is_not_framed_by_the_product(site: Site) -> None:
    site.runtime.integrations.add(
        NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s"), SHELL
    )
    link = site.link("acme", subscriber_id="bea", return_url="https://shop.example/settings")
    with client_of(site) as http:
        card = http.get(f"/embed/card?session={link.rpartition('/')[2].partition('.')[0]}")
    assert card.headers["Content-Security-Policy"].rpartition("; ")[2] == "frame-ancestors https://shop.example"


def _connects(page: HostPage, card: FrameLocator) -> None:
    with page.page.expect_popup() as opened:
        card.get_by_text("Connect Slack").click()
    popup = Customer(page.host.product, opened.value)
    popup.presses("connect")
    popup.allows()
