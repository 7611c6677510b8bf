"""The pages in a real browser: both themes, a narrow phone, the keyboard, no scripts."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.practice.conftest import APP, make_slack
from tests.practice.walk import ACME, GROUP, HARBOR, Slack
from tests.serving import served

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(params=["light", "dark"])
def practice_page(request: pytest.FixtureRequest, practice_browser: Browser) -> Iterator[Page]:
    context = practice_browser.new_context(
        color_scheme=request.param, viewport={"width": 320, "height": 640}, java_script_enabled=True
    )
    yield context.new_page()
    context.close()


def consent(slack: Slack, **changes: str | None) -> str:
    return f"{slack.url}/oauth/v2/authorize?{urlencode(slack.ask(**changes))}"


def test_pages_have_no_accessibility_fault_and_fit_a_narrow_phone(practice_slack: Slack, practice_page: Page) -> None:
    practice_slack.installs(ACME)
    practice_slack.installs(GROUP)
    wide = ",".join(["chat:write", "channels:read", "groups:read", "users:read", "team:read"])
    addresses = [
        consent(practice_slack, scope=wide, user_scope="users:read", scenario="hang"),
        f"{practice_slack.url}/oauth/v2/authorize",
        f"{practice_slack.url}/",
        f"{practice_slack.url}/nowhere",
    ]
    for address in addresses:
        practice_page.goto(address)
        found = Axe().run(practice_page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert practice_page.evaluate("document.documentElement.scrollWidth") <= 320


def test_person_allows_by_keyboard_alone(practice_slack: Slack, practice_page: Page) -> None:
    practice_page.goto(consent(practice_slack))
    keyboard = practice_page.keyboard
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(practice_page.locator(f"input[value={HARBOR}]")).to_be_checked()
    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(practice_page.get_by_label("What happens after you press Allow")).to_be_focused()
    keyboard.press("Tab")
    expect(practice_page.locator("[data-action=allow]")).to_be_focused()
    keyboard.press("Enter")
    expect(practice_page.locator("main")).to_have_attribute("data-page", "practice-approval")


@pytest.mark.parametrize("scripts", [True, False])
def test_allow_goes_back_to_the_app_with_and_without_scripts(
    practice_slack: Slack, practice_browser: Browser, scripts: bool
) -> None:
    context = practice_browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    context.route("http://127.0.0.1:9/**", lambda route: route.fulfill(body="back at the app"))
    page.goto(consent(practice_slack, team=HARBOR))
    page.locator("[data-action=allow]").click()
    page.locator("[data-action=approve]").click()
    page.locator("[data-action=allow]").click()
    expect(page.locator("body")).to_have_text("back at the app")
    assert "code=" in page.url
    context.close()


def test_styles_come_from_the_practice_sheet_under_its_own_policy(practice_browser: Browser) -> None:
    slack = make_slack()
    context = practice_browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with served(slack.app) as slack.url:
        page.goto(consent(slack))
        assert (
            page.locator(".banner").evaluate("node => getComputedStyle(node).backgroundImage").startswith("repeating")
        )
        assert page.locator("img").first.evaluate("node => node.naturalWidth") > 0
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []
    assert APP.name in page.title()
    context.close()
