"""Results of the style sheets alone: widths, heights, truncated text, and the printed page."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import ViewportSize, expect
from sqlalchemy import update

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from onboarding.services.webhooks.records import NewWebhookEndpoint
from onboarding.store.connections import ChannelConnection
from tests.browser.navigator import Customer, Operator
from tests.browser_client import BrowserClient, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_CONTROL = 44
#: Width of A4 between the margins that Chromium prints.
_PAPER = ViewportSize(width=718, height=1000)
#: Number of pixels by which the longest text of a field exceeds the field.
_CUT_OFF = """field => {
  const style = getComputedStyle(field), pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const texts = field.options ? [...field.options].map(one => one.text) : [field.placeholder];
  const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return Math.max(...texts.map(text => pen.measureText(text).width)) - room;
}"""


@pytest.fixture
def listed(site: Site) -> None:
    """Create two connections, one with the longest state and with values that fill their columns."""
    with BrowserClient(site) as bea:
        bea.connects(site.link())
        long = "customer-" + "0123456789" * 6
        bea.connects(
            site.link(subscriber_id=long, mode="subscriber", context_keys=(f"tenant:{'t' * 40}",)), "T0ACMETEST"
        )
    with site.runtime.database.transaction() as session:
        session.execute(
            update(ChannelConnection).values(status="needs_reconnect", workspace_name="Ünïcödé Donaudampfschiffe")
        )


@pytest.fixture(params=[True, False], ids=["practice", "no practice"])
def is_practice(request: pytest.FixtureRequest, site: Site) -> bool:
    """Show the pages with the banner of practice mode, and as a deployment with a real Slack app has them."""
    request.getfixturevalue("listed")
    if not request.param:
        real = NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s")
        site.runtime.integrations.add(real, SHELL)
    return bool(request.param)


def test_list_fits_every_width(is_practice: bool, ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    table = me.page.get_by_role("table")
    expect(me.page.locator(".practice-banner")).to_have_count(int(is_practice))
    # Both sides of 700 px, where the cards become a table, of 960, where the rail moves to the side, and of 1280.
    for width in (320, 375, 390, 640, 700, 720, 736, 768, 960, 1024, 1083, 1180, 1280, 1920):
        me.page.set_viewport_size({"width": width, "height": 800})
        assert me.width <= width
        assert [table.evaluate("node => getComputedStyle(node).display")] == ["table" if width > 704 else "block"]
        for field in me.page.locator(".filters .input:visible").all():
            assert field.evaluate(_CUT_OFF) <= 0, (width, field.get_attribute("name"))
        for heading in table.locator("th:visible").all() if width > 704 else ():
            assert heading.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, (width, heading.inner_text())
    assert table.evaluate("node => node.clientWidth") > 1600


def test_settings_fit_every_width_and_work_without_scripts_by_keyboard(
    site: Site, ada: Callable[..., Operator]
) -> None:
    site.add_environment("Production of the European subsidiary")
    site.runtime.operators.add_slack_user("T0NORTHWND/U0NORTHWND", SHELL)
    me = ada(java_script_enabled=False)
    me.signs_in()
    app = "/integrations/slack-practice"
    for address in (
        *("/api-keys", "/api-keys/new", "/operators", "/operators/new", "/audit", "/integrations", "/new-integration"),
        *(app, f"{app}/edit", f"{app}/remove", "/links/new", "/playground", "/connections?q=no+connection"),
    ):
        me.opens(address)
        for width in (320, 375, 1024, 1280, 1920):
            me.page.set_viewport_size({"width": width, "height": 800})
            assert me.width <= width, (address, width)
            for field in me.page.locator("main .input:visible:not(textarea)").all():
                assert field.evaluate(_CUT_OFF) <= 0, (address, width, field.get_attribute("name"))
    me.reaches(me.page.locator(".environments summary"))
    me.page.keyboard.press("Enter")
    me.presses_by_keyboard(me.page.locator("[data-environment^=Production]"))
    expect(me.page.locator(".environments-name")).to_have_text("Production of the European subsidiary")
    assert "environment=Production" in me.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rows_have_two_lines_and_a_phone_shows_many(
    site: Site, ada: Callable[..., Operator], theme: Literal["light", "dark"]
) -> None:
    list(site.runtime.demo_connections.create("Development", 25))
    me = ada(color_scheme=theme)
    me.signs_in()
    rows = me.page.locator("[data-connection]")
    for width in (320, 375, 768, 1024, 1280, 1920):
        me.page.set_viewport_size({"width": width, "height": 800})
        heights = rows.evaluate_all("nodes => nodes.map(node => node.offsetHeight)")
        assert len(heights) == 25
        if width < 700:
            assert sum(heights) < 2500
        else:
            assert max(heights) <= 52
        assert me.width <= width


@pytest.mark.usefixtures("listed")
def test_list_begins_high_on_the_page(site: Site, ada: Callable[..., Operator]) -> None:
    # Without a worker, a note is above the list.
    site.runtime.workers.add()
    me = ada(java_script_enabled=False)
    me.signs_in()
    for width, highest in ((375, 520), (768, 380), (1280, 280), (1920, 280)):
        me.page.set_viewport_size({"width": width, "height": 800})
        me.opens("/connections?q=customer")
        box = me.page.get_by_role("table").bounding_box()
        assert box is not None
        assert box["y"] <= highest, width


@pytest.mark.usefixtures("listed")
def test_narrow_page_shows_the_filters_that_are_asked_for_or_in_use(site: Site, ada: Callable[..., Operator]) -> None:
    environment_id = site.runtime.environments.first().id
    new = NewWebhookEndpoint("https://app.example/hooks")
    endpoint = site.runtime.webhooks.endpoints.create(environment_id, new, SHELL)
    deliveries = f"/webhooks/{endpoint.id}?subject=nobody"
    me = ada(viewport={"width": 375, "height": 800}, java_script_enabled=False)
    me.signs_in()
    for address, filtered, field in (
        ("/connections", "/connections?mode=shared", "#filter-mode"),
        ("/attempts", "/attempts?outcome=failed", "#filter-outcome"),
        ("/audit", "/audit?actor=ada", "#filter-actor"),
        (deliveries, f"{deliveries}&status=parked", "#filter-status"),
    ):
        me.opens(address)
        expect(me.page.locator(field)).to_be_hidden()
        me.page.get_by_label("More filters").check()
        expect(me.page.locator(field)).to_be_visible()
        me.opens(filtered)
        expect(me.page.locator(field)).to_be_visible()
        me.page.set_viewport_size({"width": 1280, "height": 800})
        me.opens(address)
        expect(me.page.locator(field)).to_be_visible()
        expect(me.page.get_by_label("More filters")).to_be_hidden()
        me.page.set_viewport_size({"width": 375, "height": 800})


def test_list_is_read_by_keyboard(site: Site, ada: Callable[..., Operator]) -> None:
    list(site.runtime.demo_connections.create("Development", 3))
    me = ada()
    me.signs_in()
    page = me.page
    links, search = page.locator(".row-link"), page.get_by_role("searchbox")
    page.wait_for_load_state()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    for key, focused in (
        ("ArrowDown", links.nth(0)),
        ("ArrowDown", links.nth(1)),
        ("ArrowUp", links.nth(0)),
        ("ArrowUp", search),
    ):
        page.keyboard.press(key)
        expect(focused).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    me.is_on("connection")


def test_rail_reaches_the_end_of_the_window(is_practice: bool, ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    for width in (1024, 1280, 1920):
        me.page.set_viewport_size({"width": width, "height": 900})
        for address in ("/connections", "/connections?q=nothing", "/links", "/playground"):
            me.opens(address)
            expect(me.page.locator(".practice-banner")).to_have_count(int(is_practice))
            assert me.page.locator(".rail").evaluate("node => node.getBoundingClientRect().bottom") >= 900, address
            assert me.width <= width, (address, width)


def test_error_of_a_field_that_is_hidden_afterwards_is_hidden_too(ada: Callable[..., Operator]) -> None:
    """The field is asked for in subscriber mode only. A link to it would lead nowhere."""
    me = ada(java_script_enabled=False)
    me.signs_in()
    me.opens("/slack/install")
    me.presses("connect")
    me.allows()
    me.presses("save")
    summary = me.page.get_by_role("alert")
    expect(summary.get_by_role("link")).to_have_attribute("href", "#subscriber_id")
    me.page.locator("input[value=shared]").check()
    expect(summary).to_be_hidden()
    me.page.locator("input[value=subscriber]").check()
    expect(summary).to_be_visible()


@pytest.mark.usefixtures("listed")
def test_connection_has_controls_of_full_height_and_is_printed_without_them(ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    me.page.locator("[data-connection] a").first.click()
    me.is_on("connection")
    controls = me.page.locator("main button, main .button")
    expect(me.page.get_by_role("button", name="Copy identifier")).to_be_visible()
    assert min(node.evaluate("node => node.offsetHeight") for node in controls.all()) >= _CONTROL
    me.page.emulate_media(media="print")
    for node in [*controls.all(), me.page.locator(".rail"), me.page.locator(".practice-banner")]:
        expect(node).to_be_hidden()
    expect(me.page.locator("dl").first).to_be_visible()


@pytest.mark.usefixtures("listed")
def test_list_is_printed_as_a_table(ada: Callable[..., Operator]) -> None:
    me = ada(viewport=_PAPER)
    me.signs_in()
    me.page.emulate_media(media="print")
    expect(me.page.locator(".filters")).to_be_hidden()
    expect(me.page.locator(".rail")).to_be_hidden()
    assert me.page.get_by_role("table").evaluate("node => getComputedStyle(node).display") == "table"
    assert me.width <= _PAPER["width"]


def test_headings_break_only_between_words(site: Site, customer: Callable[..., Customer]) -> None:
    bea = customer(viewport={"width": 320, "height": 640})
    bea.opens(site.link())
    heading = bea.page.locator("h1")
    assert heading.evaluate("node => getComputedStyle(node).hyphens") == "manual"
    assert heading.evaluate("node => getComputedStyle(node).overflowWrap") == "break-word"
    heading.evaluate("node => { node.textContent = 'donaudampfschifffahrtsgesellschaftskapitaen'; }")
    assert bea.width == 320
