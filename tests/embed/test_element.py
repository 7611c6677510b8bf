"""The element <slack-connect> on another site's page connects, even if its popup is blocked, closed or cut off.

The browser blocks popups that no click opened, and keeps no cookies of third parties.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.navigator import Customer
from tests.conftest import Clock
from tests.embed.host_page import ELEMENT, PRESSES_ITSELF, HostPage
from tests.embed.host_site import HostSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., HostPage]


def test_a_popup_connects_the_workspace_and_the_page_gets_one_event(host: HostSite, visit: Visit) -> None:
    page = visit().opens()
    page.sees("disconnected")
    popup = page.connects()
    page.sees("connected")
    event = page.got_only("connected")
    assert event["connection"]["workspaceName"] == "Acme HQ"
    assert event["id"] == host.sessions[0]["id"]
    assert page.states == ["loading", "disconnected", "waiting", "connected"]
    # The window closes by itself.
    popup.page.wait_for_event("close", timeout=10_000)
    assert len(host.sessions) == 1


def test_a_blocked_popup_continues_in_this_tab_and_comes_back(host: HostSite, visit: Visit) -> None:
    host.terms["returnUrl"] = f"{host.origin}/"
    page = visit()
    # The page's own script presses the control: for the browser that is no click. Playwright's commands would count as
    # one.
    with page.page.expect_console_message(lambda message: message.text == "blocked"):
        page.opens(head=host.script + PRESSES_ITSELF)
    page.main.click()
    here = Customer(host.product, page.page)
    here.presses("connect")
    here.allows()
    here.sees_outcome("connected")
    here.page.get_by_role("link", name=re.compile("^Back")).click()
    page.sees("connected")
    page.got_only("connected")
    page.page.reload()
    page.sees("connected")
    page.got_only("connected")


def test_a_closed_popup_is_no_failure(visit: Visit) -> None:
    page = visit()
    page.page.clock.install()
    page.opens()
    popup = page.opens_popup()
    popup.presses("connect")
    popup.is_on("practice-consent")
    popup.page.close()
    with page.page.expect_response("**/v1/connect-sessions/*"):
        page.page.clock.run_for(2500)
    page.sees("waiting")
    assert page.events == []
    page.connects("Open again")
    page.sees("connected")
    page.got_only("connected")


def test_a_popup_without_its_opener_connects(host: HostSite, visit: Visit) -> None:
    page = visit().opens()

    def cut(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "cross-origin-opener-policy": "same-origin"})

    page.page.context.route(f"{host.product.settings.origin}/practice/oauth/**", cut)
    popup = page.connects()
    popup.sees_outcome("connected")
    assert popup.page.evaluate("window.opener") is None
    page.sees("connected")
    page.got_only("connected")


def test_the_browser_keeps_no_third_party_cookies(host: HostSite, visit: Visit) -> None:
    """A request to the product from the host's page has no cookie, so the other tests prove that none is needed."""
    page, file = visit(), f"{host.product.settings.origin}/embed/v1/connect.d.ts"
    page.page.goto(host.create_session()["url"])
    assert page.page.context.cookies()
    page.opens()
    with page.page.expect_request(file) as sent:
        page.page.evaluate("file => fetch(file, {credentials: 'include'}).catch(() => 0)", file)
    assert "cookie" not in sent.value.all_headers()


def test_without_scripts_the_link_connects_and_leads_back(host: HostSite, visit: Visit) -> None:
    session = host.create_session(returnUrl=f"{host.origin}/", reference="order 42")
    page = visit(java_script_enabled=False)
    image = f'<img src="{host.product.settings.origin}/embed/button.svg" alt="Add to Slack" width="236" height="48">'
    page.opens(f'<a href="{session["url"]}">{image}</a>', head="")
    page.page.get_by_role("link", name="Add to Slack").click()
    here = Customer(host.product, page.page)
    here.presses("connect")
    here.allows()
    here.sees_outcome("connected")
    here.page.get_by_role("link", name=re.compile("^Back")).click()
    expect(here.page.locator("h1")).to_have_text("Notifications")
    query = parse_qs(urlsplit(here.page.url).query)
    assert (query["outcome"], query["session"], query["reference"]) == (["connected"], [session["id"]], ["order 42"])


def test_two_elements_of_one_customer_share_the_session_and_the_event(host: HostSite, visit: Visit) -> None:
    page = visit().opens(f"{ELEMENT}{ELEMENT}")
    page.sees("disconnected")
    page.connects()
    for element in page.element.all():
        expect(element).to_contain_text("Acme HQ")
    page.got_only("connected")
    assert len(host.sessions) == 1


def test_two_elements_of_two_customers_do_not_disturb_each_other(host: HostSite, visit: Visit) -> None:
    mine, other = host.create_session(), host.create_session(subscriberId="somebody-else")
    elements = [
        f'<slack-connect id="{name}" session="{one["url"]}"></slack-connect>'
        for name, one in (("mine", mine), ("other", other))
    ]
    page = visit().opens("".join(elements))
    page.sees("disconnected")
    page.connects()
    expect(page.page.locator("#mine")).to_contain_text("Acme HQ")
    expect(page.page.locator("#other")).to_contain_text("Connect Slack")
    page.got_only("connected")


def test_a_session_that_is_revoked_while_the_person_is_away_fails(host: HostSite, visit: Visit) -> None:
    page = visit().opens()
    page.sees("disconnected")
    popup = page.opens_popup()
    host.revoke_session()
    page.sees("error")
    assert page.got_only("failed")["outcome"] == "link_revoked"
    # A new session opens in the same window.
    page.main.click()
    popup.page.wait_for_url(lambda url: len(host.sessions) > 1 and host.sessions[1]["id"] in url)
    popup.presses("connect")
    popup.allows()
    page.sees("connected")
    assert [event["type"] for event in page.events] == ["failed", "connected"]


def test_a_session_that_expires_while_the_person_is_away_fails(
    host: HostSite, visit: Visit, module_clock: Clock
) -> None:
    host.terms["expiresIn"] = 60
    page = visit().opens()
    page.opens_popup()
    page.sees("waiting")
    module_clock.forward(minutes=2)
    page.sees("error")
    assert page.got_only("failed")["outcome"] == "link_expired"


def test_an_origin_that_is_not_allowed_gets_no_state(host: HostSite, visit: Visit) -> None:
    page = visit()
    said: list[str] = []
    page.page.on("console", lambda message: said.append(message.text))
    host.product.change_integration("slack-practice", remove_origins=(host.origin,))
    try:
        page.opens()
        page.sees("error", within_seconds=15)
    finally:
        host.product.allow_origin(host.origin)
    assert any(f"Is {host.origin} an allowed origin" in line for line in said)
    assert page.events == []
    page.main.click()
    page.sees("disconnected")


def test_a_message_of_another_window_changes_nothing(host: HostSite, visit: Visit) -> None:
    third_site = host.origin.replace("localhost", "127.0.0.1")
    page = visit().opens(f'{ELEMENT}<iframe src="{third_site}/recorder.js" title="Ads"></iframe>')
    page.sees("disconnected")
    page.opens_popup()
    page.sees("waiting")
    page.page.wait_for_timeout(500)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.evaluate("window.got = 0; addEventListener('message', () => { window.got += 1; })")
    page.page.frames[1].evaluate("""() => {
      for (const forged of ["slack-connect", {type: "connected"}, {type: "slack-connect", state: "connected"}])
        parent.postMessage(forged, "*");
    }""")
    page.page.wait_for_function("window.got === 3")
    page.page.wait_for_timeout(100)
    assert (asked, page.events) == ([], [])
    page.sees("waiting")


def test_a_strict_policy_of_the_page_lets_the_element_work(host: HostSite, visit: Visit) -> None:
    ours = host.product.settings.origin
    policy = (
        f"default-src 'none'; script-src 'self' {ours}; connect-src 'self' {ours}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = visit()
    refused: list[str] = []
    page.page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.opens(
        head=f'<script type="module" src="{ours}/embed/v1/connect.js"></script>', **{"Content-Security-Policy": policy}
    )
    page.sees("disconnected")
    assert page.element.locator("[part=frame]").bounding_box()["height"] == 48  # type: ignore[index]  # it is visible
    page.connects()
    page.sees("connected")
    page.got_only("connected")
    assert refused == []


def test_cancelling_in_slack_is_reported_once_and_can_be_followed_by_success(visit: Visit) -> None:
    page = visit().opens()
    popup = page.opens_popup()
    popup.presses("connect")
    popup.presses("cancel")
    page.sees("disconnected")
    assert page.got_only("cancelled")["outcome"] == "cancelled"
    # The person changes their mind in the same window.
    popup.presses("try-again")
    popup.allows()
    page.sees("connected", within_seconds=15)
    assert [event["type"] for event in page.events] == ["cancelled", "connected"]


def test_a_person_who_tries_again_stays_in_one_window(visit: Visit) -> None:
    page = visit().opens()
    popup = page.opens_popup()
    for scenario in ("cancelled", "bad_client_secret", "cancelled"):
        popup.presses("connect")
        popup.allows(scenario=scenario)
        popup.sees_outcome("config_error" if scenario == "bad_client_secret" else "cancelled")
        page.sees("error" if scenario == "bad_client_secret" else "disconnected")
        page.main.click()
        popup.is_on("connect-start")
    assert len(page.page.context.pages) == 2


def test_a_failure_is_reported_once_with_its_reference(visit: Visit) -> None:
    page = visit().opens()
    popup = page.connects(scenario="bad_client_secret")
    popup.sees_outcome("config_error")
    page.sees("error")
    event = page.got_only("failed")
    assert event["outcome"] == "config_error"
    assert event["attemptReference"] == popup.page.locator("main").get_attribute("data-reference")
    expect(page.element).to_contain_text(event["attemptReference"])


def test_the_person_can_stop_waiting(visit: Visit) -> None:
    page = visit().opens()
    popup = page.opens_popup()
    popup.presses("connect")
    page.element.get_by_text("Stop waiting").click()
    page.sees("disconnected")
    assert page.got_only("cancelled")["outcome"] == "stopped"
    # A person who goes on in the popup is connected all the same.
    popup.allows()
    page.sees("connected", within_seconds=15)


@pytest.mark.parametrize(("status", "state"), [(401, "expired"), (500, "error")])
def test_a_host_that_gives_no_session_is_shown(status: int, state: str, host: HostSite, visit: Visit) -> None:
    host.refusal = status
    page = visit().opens()
    page.sees(state)
    host.refusal = None
    page.main.click()
    page.sees("disconnected")


def test_the_host_s_server_gets_the_csrf_token(host: HostSite, visit: Visit) -> None:
    page = visit().opens('<slack-connect session-url="/slack-session" csrf-token="secret-of-the-form"></slack-connect>')
    page.sees("disconnected")
    assert {host.asked[0][name] for name in ("X-Csrf-Token", "X-Csrftoken")} == {"secret-of-the-form"}
