"""Every page in both themes: axe finds no fault (WCAG 2.2 AA), and a window of 320 px needs no horizontal scroll."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy import update

from onboarding.callers import SHELL
from onboarding.outcomes import OUTCOMES
from onboarding.services.integrations.records import NewIntegration
from onboarding.services.webhooks.records import EndpointChange, NewWebhookEndpoint
from onboarding.store.attempts import Attempt
from onboarding.store.connections import ChannelConnection
from tests.browser.navigator import Customer, Navigator, Operator
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock
from tests.test_outcomes import ROWS, Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NARROW = ViewportSize(width=320, height=640)
WIDE = ViewportSize(width=1280, height=800)
ZOOMED = ViewportSize(width=640, height=400)
_ALL: dict[str, object] = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
#: A theme changes only colors.
_OF_A_THEME: dict[str, object] = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}

_AXE, _LOADED = Axe(), Axe(axe_script="null")


def holds(page: Page) -> None:
    """Raise AssertionError with axe's report or the page's width. Leaves the page dark and narrow."""
    page.set_viewport_size(NARROW)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"], f"{page.url} is {width} px wide"
    # Without motion, because a color in transition belongs to neither theme.
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    _axe_finds_nothing(page, _ALL)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    _axe_finds_nothing(page, _OF_A_THEME)
    # A window of 1280 px at a zoom of 200 % has this width.
    page.set_viewport_size(ZOOMED)
    assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"], page.url


def holds_wide_too(page: Page) -> None:
    holds(page)
    page.set_viewport_size(WIDE)
    _axe_finds_nothing(page, _ALL)


def _same_browser(person: Customer, visitor: BrowserClient) -> Customer:
    kept = [
        {"name": name, "value": value, "url": person.site.settings.origin} for name, value in visitor.cookies.items()
    ]
    person.page.context.add_cookies(kept)  # type: ignore[arg-type]  # its type wants every optional member
    return person


def _axe_finds_nothing(page: Page, rules: dict[str, object]) -> None:
    # Compiling axe takes as long as running it, so a page that has it keeps it.
    axe = _LOADED if page.evaluate("'axe' in window") else _AXE
    found = axe.run(page, options=rules)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


def test_pages_on_the_way(site: Site, customer: Callable[..., Customer]) -> None:
    offered = ("team:support", "team:donaudampfschifffahrtsgesellschaftskapitaen")
    link = site.link(subscriber_id="customer-" + "0123456789" * 8, offered_context_keys=offered)
    bea = customer()
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


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_page_of_each_outcome(
    outcome: str, site: Site, visitor: BrowserClient, clock: Clock, customer: Callable[..., Customer]
) -> None:
    """Each page is reached over HTTP, then opened in a browser with the same cookies."""
    there = ROWS[outcome].happens(Scene(site, visitor, clock))
    # The only page that is shown in a browser other than the visitor's.
    bea = customer() if outcome == "other_browser" else _same_browser(customer(), visitor)
    bea.opens(there.url)
    bea.sees_outcome(outcome)
    holds(bea.page)


def test_start_page_while_an_approval_waits(
    site: Site, visitor: BrowserClient, customer: Callable[..., Customer]
) -> None:
    link = site.link()
    visitor.presses(visitor.opens(link), "ask-admin")
    bea = customer()
    bea.opens(link)
    holds(bea.page)


def test_page_of_an_approval_that_came(site: Site, visitor: BrowserClient, customer: Callable[..., Customer]) -> None:
    waiting = visitor.presses(visitor.opens(site.link()), "ask-admin")
    admins = next(iter(re.findall(r"http://\S+/connect/[\w.-]+", waiting.text)))
    with BrowserClient(site) as admin:
        admin.connects(admins)
    bea = _same_browser(customer(), visitor)
    bea.opens(waiting.url)
    bea.sees_outcome("connected")
    holds(bea.page)


@pytest.mark.parametrize("press", ["do-not-connect", "wait"])
def test_page_of_an_unused_grant(
    press: str, site: Site, visitor: BrowserClient, clock: Clock, customer: Callable[..., Customer]
) -> None:
    set_up = visitor.connects(site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b")))
    if press == "wait":
        clock.forward(minutes=11)
    there = visitor.opens(set_up.url) if press == "wait" else visitor.presses(set_up, press)
    bea = _same_browser(customer(), visitor)
    bea.opens(there.url)
    assert "was removed from Acme HQ again" in bea.page.inner_text("main")
    holds(bea.page)


def test_page_while_slack_has_not_answered(
    site: Site, visitor: BrowserClient, customer: Callable[..., Customer]
) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    allowed = {"workspace": "T0ACMEHQ01", "action": "allow"}
    callback = visitor.asks("POST", consent.url, data=allowed).headers["Location"]
    bea = _same_browser(customer(), visitor)
    # As if another replica were calling Slack, for as long as the checks of the page take.
    with site.runtime.database.transaction() as session:
        session.execute(update(Attempt).values(stage="exchanging", exchanging_at=datetime.now(UTC)))
    # The script reloads the page after two seconds. On a busy machine axe takes longer than that.
    bea.page.route("**/finishing.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    bea.opens(callback)
    bea.is_on("finishing")
    holds(bea.page)


def test_pages_of_links_and_workspaces(site: Site, customer: Callable[..., Customer]) -> None:
    bea = customer()
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


def test_pages_of_a_managed_connection(site: Site, customer: Callable[..., Customer]) -> None:
    bea, link = customer(), site.link()
    bea.connects(link)
    bea.sees_outcome("connected")
    bea.presses("manage")
    bea.is_on("manage")
    holds(bea.page)
    reason = "Access was revoked, or the app was removed from the workspace."
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(status="needs_reconnect", status_reason=reason))
    bea.opens(f"{link}/manage")
    holds(bea.page)
    bea.presses("disconnect")
    bea.is_on("manage-disconnect")
    holds(bea.page)
    bea.presses("confirm-disconnect")
    bea.is_on("manage-disconnected")
    holds(bea.page)


def test_pages_of_operators(ada: Callable[..., Operator]) -> None:
    me = ada()
    for address in ("/connections", "/signed-out", "/sign-in/nothing", me.invitation()):
        me.opens(address)
        holds(me.page)
    me.signs_in()
    holds_wide_too(me.page)
    me.opens("/slack/install")
    holds(me.page)
    _connects(me)
    reference = me.page.locator("main").get_attribute("data-reference")
    me.opens(f"/connections?q={reference}")
    holds_wide_too(me.page)
    me.presses("show-attempt")
    me.is_on("attempt")
    holds_wide_too(me.page)
    me.opens("/attempts")
    holds_wide_too(me.page)
    me.presses("diagnose")
    me.page.locator("[name=text]").fill("/slack/oauth_redirect?error=access_denied")
    me.presses("submit-diagnosis")
    me.page.get_by_text("was started inside Slack").wait_for()
    holds(me.page)
    me.site.allow_origin("https://donaudampfschifffahrtsgesellschaftskapitaen.example:8443")
    for address in (
        "/connections",
        "/connections?q=nobody",
        "/nowhere",
        "/integrations",
        "/integrations/slack-practice",
    ):
        me.opens(address)
        holds_wide_too(me.page)
    me.opens("/connections")
    me.page.locator("[data-connection] a").click()
    me.is_on("connection")
    holds_wide_too(me.page)
    _uses_bulk_actions(me)
    me.presses("test-message")
    me.page.locator("[name=channel]").fill("C0000000")
    me.presses("send-test")
    me.page.get_by_text("Slack finds no such channel").wait_for()
    holds(me.page)
    me.page.get_by_role("link", name="Back to the connection").first.click()
    me.presses("disconnect")
    me.is_on("disconnect")
    holds_wide_too(me.page)
    me.presses("confirm-disconnect")
    me.is_on("disconnected")
    holds_wide_too(me.page)


def test_pages_of_settings(ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    me.site.api_key("billing")
    me.site.add_environment("Production of the European subsidiary")
    me.site.runtime.operators.allow_team("T0NORTHWND", SHELL)
    pages = (
        "/api-keys",
        "/api-keys/new",
        "/operators",
        "/operators/new",
        "/audit",
        "/integrations",
        "/new-integration",
    )
    for address in (*pages, "/integrations/slack-practice", "/integrations/slack-practice/edit"):
        me.opens(address)
        holds_wide_too(me.page)
    me.opens("/api-keys")
    me.page.get_by_role("link", name="Revoke billing").click()
    holds(me.page)
    me.opens("/operators")
    me.page.get_by_role("link", name="ada@northwind.test").click()
    me.is_on("operator")
    holds(me.page)


def test_pages_of_webhooks(ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    address = "https://donaudampfschifffahrtsgesellschaftskapitaen.example/hooks/slack"
    endpoints, environment_id = me.site.runtime.webhooks.endpoints, me.site.runtime.environments.first().id
    endpoint = endpoints.create(
        environment_id, NewWebhookEndpoint(address, ("connection.connected", "attempt.failed")), SHELL
    )
    delivery = endpoints.test(environment_id, endpoint.id)
    me.opens("/webhooks/new")
    me.page.locator("[name=scope][value=chosen]").check()
    me.presses("add-webhook")
    me.page.get_by_role("alert").wait_for()
    holds(me.page)
    endpoints.change(environment_id, endpoint.id, EndpointChange(is_enabled=False), SHELL)
    me.site.runtime.webhooks.delivering.deliver(delivery, 1)
    for page in ("/webhooks", f"/webhook-deliveries/{delivery}"):
        me.opens(page)
        holds(me.page)
    me.opens(f"/webhooks/{endpoint.id}")
    holds_wide_too(me.page)


def test_pages_that_answer_a_form_of_the_console(ada: Callable[..., Operator]) -> None:
    me = ada()
    me.signs_in()
    page = me.page
    me.opens("/api-keys/new")
    page.locator("[name=name]").fill("billing")
    page.locator("[name=scopes]").first.check()
    _answers(me, "create-api-key", "api-key-created")
    for way, person, name in (("email", "bob@northwind.test", "invited"), ("slack", "T0NORTHWND/U0BOB", "added")):
        me.opens("/operators/new")
        page.locator(f"[name=way][value={way}]").check()
        page.locator("[name=person]").fill(person)
        _answers(me, "send-invite", name)
    me.opens("/operators")
    page.get_by_role("link", name="bob@northwind.test").click()
    _answers(me, "remove-operator", "remove-operator")
    me.opens("/links/new")
    holds(page)
    page.locator("[name=subscriber_id]").fill("customer-" + "0123456789" * 8)
    _answers(me, "create-link", "link")
    me.presses("revoke")
    for address in ("/links", "/integrations/slack-practice/remove"):
        me.opens(address)
        holds(page)


def test_pages_without_practice_mode(site: Site, ada: Callable[..., Operator]) -> None:
    list(site.runtime.demo_connections.create("Development", 25))
    site.add_environment("Production of the European subsidiary")
    real = NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s", signing_secret="t")
    site.runtime.integrations.add(real, SHELL)
    site.change_integration("acme", client_secret="new-secret", signing_secret="new-signing", sign_in=True)
    me = ada()
    me.signs_in()
    expect(me.page.locator(".practice-banner")).to_have_count(0)
    me.presses("bulk")
    holds_wide_too(me.page)
    me.opens("/integrations/acme")
    expect(me.page.locator("[data-action=forget-previous-secrets]")).to_be_visible()
    holds_wide_too(me.page)
    me.page.set_viewport_size(NARROW)
    me.page.locator(".environments summary").click()
    # On a wide page, axe takes the links below the open menu for targets that are too small.
    holds(me.page)


def test_pages_of_signing_in_with_slack(site: Site, customer: Callable[..., Customer]) -> None:
    site.change_integration("slack-practice", sign_in=True)
    me = customer()
    me.opens("/sign-in")
    holds(me.page)
    me.presses("sign-in-with-slack")
    me.presses("allow")
    me.is_on("sign-in-refused")
    holds(me.page)


def _answers(me: Operator, action: str, name: str) -> None:
    me.presses(action)
    me.is_on(name)
    holds(me.page)


def _uses_bulk_actions(me: Operator) -> None:
    """Begin each bulk action, and return to the page that was open."""
    place = me.page.url
    for action in ("bulk-check", "bulk-disconnect", "bulk-link"):
        me.opens("/connections")
        me.presses("bulk")
        me.page.locator(".row-check input").check()
        if action == "bulk-check":
            holds(me.page)
        me.presses(action)
        me.is_on("bulk-action")
        if action == "bulk-link":
            me.site.runtime.bulk.work(me.page.url.rpartition("/")[2])
            # The page loads itself again.
            me.page.locator("main[data-state=done]").wait_for(timeout=10_000)
        holds(me.page)
    me.opens("/bulk")
    holds(me.page)
    me.opens(place)


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
