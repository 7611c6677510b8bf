"""The element in every state: axe, the keyboard, the size of what is pressed, and a page that does not move."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.browser.navigator import Customer
from tests.browser_client import BrowserClient
from tests.embed.host_page import HostPage
from tests.embed.host_site import HostSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., HostPage]

AXE: dict[str, object] = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
#: Sums the shifts that no press of the person explains.
_MEASURE_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def test_axe_finds_nothing_in_any_state_and_theme(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    for state in _walk(page):
        for theme in ("light", "dark"):
            page.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found = Axe().run(page.page, options=AXE)
            assert found.violations_count == 0, f"{state}, {theme}\n{found.generate_report()}"


@pytest.mark.parametrize("width", [375, 1280])
def test_controls_are_large_and_the_page_does_not_move(width: int, visit: Visit) -> None:
    page = visit(viewport={"width": width, "height": 800})
    page.page.add_init_script(_MEASURE_SHIFTS)
    places, states = set(), []
    for state in _walk(page):
        states.append(state)
        places.add(page.page.locator("#below").evaluate("node => node.getBoundingClientRect().top"))
        for control in page.element.locator("a, button").all():
            box = control.bounding_box()
            assert box is not None
            # The frame's border belongs to what is pressed.
            assert min(box["width"], box["height"] + 2) >= 44, (state, control.inner_text(), box)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width, state
        assert page.page.evaluate("window.shifts") == 0, state
    assert len(places) == 1, places
    assert set(states) == {
        *("loading", "disconnected", "waiting", "approval", "connected", "attention", "blocked", "error", "expired")
    }


def test_the_keyboard_is_enough(host: HostSite, visit: Visit) -> None:
    page = visit().opens()
    page.sees("disconnected")
    with page.page.expect_popup() as opened:
        page.page.keyboard.press("Tab")
        page.page.keyboard.press("Enter")
    popup = Customer(host.product, opened.value)
    # The focus stays on the element's control while the texts change, and the next ones are reached from there.
    assert _focused_text(page).startswith("Waiting for Slack")
    page.page.keyboard.press("Tab")
    assert _focused_text(page) == "Stop waiting"
    page.page.keyboard.press("Tab")
    assert _focused_text(page) == "Slack shows an error?"
    popup.presses_by_keyboard(popup.page.locator("[data-action=connect]"))
    popup.presses_by_keyboard(popup.page.locator("[data-action=allow]"))
    page.sees("connected")
    assert _focused_text(page) == "Manage"
    expect(page.element.locator("[aria-live]")).to_have_text("Northwind Acme HQ\nConnected", use_inner_text=True)


def test_changes_are_announced_once_and_faults_at_once(host: HostSite, visit: Visit) -> None:
    page = visit().opens()
    page.sees("disconnected")
    said = page.element.locator("[aria-live]")
    expect(said).to_have_text("")
    page.opens_popup()
    expect(said).to_contain_text("Waiting for Slack")
    expect(said).to_have_attribute("aria-live", "polite")
    host.revoke_session()
    expect(said).to_contain_text("Could not connect")
    expect(said).to_have_attribute("aria-live", "assertive")


def _walk(page: HostPage) -> Iterator[str]:
    """Bring the element into each of its states, and yield the state's name."""
    host = page.host
    held: list[Route] = []
    page.page.route("**/slack-session", lambda route: held.append(route))
    page.opens()
    page.sees("loading")
    yield "loading"
    held[0].continue_()
    page.page.unroute("**/slack-session")
    page.sees("disconnected")
    yield "disconnected"
    popup = page.opens_popup()
    page.sees("waiting")
    yield "waiting"
    popup.presses("ask-admin")
    page.sees("approval")
    yield "approval"
    with BrowserClient(host.product) as admin:
        admin.connects(popup.page.locator("#approval-url").inner_text())
    popup.page.close()
    page.opens()
    page.sees("connected")
    yield "connected"
    host.loses_access()
    page.opens()
    page.sees("attention")
    yield "attention"
    page.page.evaluate("window.open = () => null")
    page.main.click()
    page.sees("blocked")
    yield "blocked"
    page.opens()
    page.connects("Reconnect Slack", scenario="bad_client_secret")
    page.sees("error")
    yield "error"
    host.refusal = 401
    page.opens()
    page.sees("expired")
    yield "expired"


def _focused_text(page: HostPage) -> str:
    text: str = page.page.evaluate("document.activeElement.shadowRoot.activeElement.innerText")
    return text
