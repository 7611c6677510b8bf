"""Every page in both themes: axe finds nothing (WCAG 2.2 AA), and a window of 320 px needs no sideways scroll."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.navigator import Customer, Navigator, Operator
from tests.people import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NARROW = ViewportSize(width=320, height=640)
WIDE = ViewportSize(width=1280, height=800)
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_THEMES = pytest.mark.parametrize("theme", ["light", "dark"])

#: Ways an install can go in the practice Slack, and the outcome whose page a customer then sees.
_ENDS = [
    # Slack offers optional permissions at the first install into a workspace only.
    ("partial_permissions", "partial_permissions"),
    ("normal", "connected"),
    ("org_install", "org_installed"),
    ("cancelled", "cancelled"),
    ("cancelled_without_description", "cancelled_maybe_approval"),
    ("state_missing", "no_state"),
    ("invalid_code", "code_spent_unknown"),
    ("bad_client_secret", "config_error"),
    ("no_permission", "policy_denied"),
    ("cannot_install_an_org_installed_app", "org_blocks_workspace"),
    ("ratelimited", "slack_busy"),
    ("status_500", "slack_down"),
]


def holds(page: Page) -> None:
    """Raises AssertionError with axe's report, or with how wide the page is."""
    page.set_viewport_size(NARROW)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"], f"{page.url} is {width} px wide"
    _axe_finds_nothing(page)


def holds_wide_too(page: Page) -> None:
    holds(page)
    page.set_viewport_size(WIDE)
    _axe_finds_nothing(page)


def _axe_finds_nothing(page: Page) -> None:
    found = Axe().run(page, options=_RULES)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


@_THEMES
def test_pages_on_the_way(site: Site, customer: Callable[..., Customer], theme: str) -> None:
    offered = ("team:support", "team:donaudampfschifffahrtsgesellschaftskapitaen")
    link = site.link(subscriber_id="customer-" + "0123456789" * 8, offered_context_keys=offered)
    bea = customer(color_scheme=theme)
    bea.opens("/")
    holds_wide_too(bea.page)
    bea.opens(link)
    holds(bea.page)
    bea.presses("connect")
    bea.allows()
    bea.is_on("setup")
    holds(bea.page)
    bea.presses("save")
    bea.page.get_by_role("alert").wait_for()
    holds(bea.page)
    bea.asks_their_admin(site.link())
    holds(bea.page)


@_THEMES
def test_pages_of_the_ends(site: Site, product_browser: Browser, theme: str) -> None:
    for number, (scenario, outcome) in enumerate(_ENDS):
        context = product_browser.new_context(color_scheme="dark" if theme == "dark" else "light")
        bea = Customer(site, context.new_page())
        bea.connects(site.link(subscriber_id=f"customer-{number}", mode="subscriber"), None, scenario)
        bea.sees_outcome(outcome)
        holds(bea.page)
        context.close()


@_THEMES
def test_pages_of_links_and_workspaces(site: Site, customer: Callable[..., Customer], theme: str) -> None:
    bea = customer(color_scheme=theme)
    bea.opens(f"{site.link()}x")
    bea.sees_outcome("link_tampered")
    holds(bea.page)
    bea.connects(site.link())
    bea.sees_outcome("connected")
    bea.opens(site.link())
    bea.sees_outcome("already_connected")
    holds(bea.page)
    bea.connects(site.link(subscriber_id="cy", mode="subscriber", workspace_id="T0ACMETEST"), "T0ACMEHQ01")
    bea.sees_outcome("wrong_workspace")
    holds(bea.page)


@_THEMES
def test_pages_of_operators(ada: Callable[..., Operator], theme: str) -> None:
    me = ada(color_scheme=theme)
    for address in ("/connections", "/signed-out", "/sign-in/nothing", me.invitation()):
        me.opens(address)
        holds(me.page)
    me.signs_in()
    holds_wide_too(me.page)
    me.opens("/slack/install")
    holds(me.page)
    _connects(me)
    for address in ("/connections", "/connections?q=nobody", "/nowhere"):
        me.opens(address)
        holds_wide_too(me.page)
    me.opens("/connections")
    me.page.locator("[data-connection] a").click()
    me.is_on("connection")
    holds_wide_too(me.page)
    me.presses("disconnect")
    me.is_on("disconnect")
    holds_wide_too(me.page)
    me.presses("confirm-disconnect")
    me.is_on("disconnected")
    holds_wide_too(me.page)


def _connects(person: Navigator) -> None:
    person.presses("connect")
    person.allows()
    person.is_on("setup")
    holds(person.page)
    person.presses("save")
    person.page.get_by_role("alert").wait_for()
    holds(person.page)
    person.page.locator("[name=subscriber_id]").fill("cy")
    person.page.locator("[name=contexts-0-type]").fill("tenant")
    person.page.locator("[name=contexts-0-id]").fill("donaudampfschifffahrtsgesellschaftskapitaen")
    person.presses("save")
    person.sees_outcome("connected")
    holds(person.page)
