"""A link exchanges at most twenty codes that Slack refuses in ten minutes: invented codes must not use up our limit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import full_disk
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.pages.test_approval import link_for_admin

LIMIT = 20


def starts(browser: BrowserClient, start: Page) -> str:
    """Press *Connect Slack* and return the state that Slack would get."""
    form = start.form_of("connect")
    values = {one.get("name", ""): one.get("value", "") for one in form.iter("input")}
    sent = browser.asks("POST", form.get("action") or start.url, data=values)
    return parse_qs(urlsplit(sent.headers["Location"]).query)["state"][0]


def invented(browser: BrowserClient, start: Page) -> str:
    """Start an attempt and return a callback with its state and a code that Slack never issued."""
    return f"/slack/oauth_redirect?state={starts(browser, start)}&code=invented"


def exchanges(site: Site) -> int:
    return len(site.slack.calls("oauth.v2.access"))


def fails(browser: BrowserClient, link: str, times: int) -> None:
    start = browser.opens(link)
    for _ in range(times):
        assert browser.asks("GET", invented(browser, start)).status_code == 303


@pytest.fixture
def used_up(site: Site, visitor: BrowserClient) -> str:
    """A link whose twenty exchanges have failed."""
    link = site.link()
    fails(visitor, link, LIMIT)
    assert exchanges(site) == LIMIT
    return link


def test_the_21st_exchange_waits_until_ten_minutes_have_passed(
    site: Site, visitor: BrowserClient, used_up: str, clock: Clock
) -> None:
    page = visitor.connects(used_up)
    assert (page.outcome, page.status, exchanges(site)) == ("too_many_attempts", 429, LIMIT)
    wait = int(page.headers["Retry-After"])
    assert 400 < wait <= 600
    assert f"{-(-wait // 60)} minutes" in page.text
    with BrowserClient(site) as other:
        assert other.connects(used_up).outcome == "too_many_attempts", "a start is not refused, and none is counted"
        assert other.connects(site.link(subscriber_id="cy")).outcome == "connected", "another link"
    clock.forward(seconds=wait - 60)
    assert 0 < int(visitor.opens(page.url).headers["Retry-After"]) <= 60
    clock.forward(seconds=60)
    again = visitor.opens(page.url)
    assert (again.status, "Retry-After" in again.headers) == (429, False)
    assert "You can try again now" in again.text
    assert visitor.allows(visitor.presses(again, "try-again")).outcome == "connected"


def test_refused_exchanges_do_not_count(visitor: BrowserClient, used_up: str, clock: Clock) -> None:
    clock.forward(minutes=9)
    fails(visitor, used_up, LIMIT)
    clock.forward(minutes=1)
    assert visitor.connects(used_up).outcome == "connected"


def test_starts_and_cancels_and_unused_grants_do_not_count(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", workspace_id="T0ACMETEST")
    start = visitor.opens(link)
    for _ in range(5):
        starts(visitor, start)
        visitor.asks("GET", f"/slack/oauth_redirect?state={starts(visitor, start)}&error=access_denied")
    for _ in range(2):
        other = visitor.connects(link, workspace="T0ACMEHQ01")
        assert visitor.presses(other, "do-not-connect").outcome == "cancelled"
    fails(visitor, link, LIMIT - 1)
    assert visitor.connects(link, workspace="T0ACMETEST").outcome == "connected"


def test_exchanges_whose_grant_could_not_be_stored_do_not_count(site: Site, visitor: BrowserClient) -> None:
    """They are no fault of the link's holder, and Slack has accepted the code."""
    link = site.link()
    full_disk.where(site, "INSERT ON installations")
    for _ in range(LIMIT):
        assert visitor.connects(link).outcome == "storage_error"
    full_disk.ends(site, "installations")
    assert visitor.connects(link).outcome == "connected"


def test_an_operators_own_install_has_no_limit(site: Site, operator: BrowserClient) -> None:
    fails(operator, "/slack/install", LIMIT)
    assert operator.opens(invented(operator, operator.opens("/slack/install"))).outcome == "code_spent_unknown"
    assert exchanges(site) == LIMIT + 1


def test_an_approval_link_has_its_own_limit(site: Site, visitor: BrowserClient, used_up: str) -> None:
    """Somebody else's failures do not keep the admin from approving."""
    page = visitor.presses(visitor.opens(used_up), "ask-admin")
    with BrowserClient(site) as admin:
        assert admin.connects(link_for_admin(page)).outcome == "connected"


def test_the_limit_is_one_for_all_processes(
    site: Site, visitor: BrowserClient, start_site: Callable[..., Site]
) -> None:
    second = start_site()
    start = visitor.opens(site.link())
    for number in range(LIMIT):
        visitor.asks("GET", (site, second)[number % 2].settings.origin + invented(visitor, start))
    for one in (site, second):
        assert visitor.opens(one.settings.origin + invented(visitor, start)).outcome == "too_many_attempts"
        assert exchanges(one) == LIMIT / 2


def test_concurrent_callbacks_stay_within_the_limit(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    with ExitStack() as stack:
        browsers = [stack.enter_context(BrowserClient(site)) for _ in range(3)]
        waiting = [(one, invented(one, start)) for one in browsers for start in [one.opens(link)] * 10]
        threads = stack.enter_context(ThreadPoolExecutor(len(waiting)))
        list(threads.map(lambda one: one[0].asks("GET", one[1]), waiting))
    assert exchanges(site) <= LIMIT
    fails(visitor, link, LIMIT)
    assert exchanges(site) == LIMIT
