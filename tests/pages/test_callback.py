"""The callback from Slack: once, twice, from another browser, late, or without meaning."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Barrier
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.plain_http import NO_CERTIFICATES
from tests.waiting import until

_EXCHANGE = "oauth.v2.access"


def callback_of(visitor: BrowserClient, consent: Page, action: str = "allow", workspace: str = "T0ACMEHQ01") -> str:
    """Return the address to which Slack sends this browser back, without opening it."""
    answer = visitor.asks("POST", consent.url, data={"workspace": workspace, "action": action})
    return answer.headers["Location"]


def consent_of(visitor: BrowserClient, link: str) -> Page:
    return visitor.presses(visitor.opens(link), "connect")


def test_200_callbacks_with_one_state_cause_one_exchange(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    ready, limits = Barrier(200, timeout=30), httpx.Limits(max_connections=200)
    with httpx.Client(trust_env=False, verify=NO_CERTIFICATES, timeout=60, limits=limits, headers=cookie) as client:

        def come_back(_number: int) -> int:
            ready.wait()
            return client.get(callback).status_code

        with ThreadPoolExecutor(200) as crowd:
            answers = list(crowd.map(come_back, range(200)))
    assert set(answers) <= {200, 303}
    assert len(site.slack.calls(_EXCHANGE)) == 1
    assert visitor.opens(callback).outcome == "replay_ok"
    assert len(site.slack.calls(_EXCHANGE)) == 1


def test_another_browser_never_exchanges_and_never_learns_the_workspace(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    with BrowserClient(site) as other:
        page = other.opens(callback)
        assert (page.outcome, page.status) == ("other_browser", 400)
        assert site.slack.calls(_EXCHANGE) == []
        assert visitor.opens(callback).outcome == "connected"
        sentences = {
            callback: "Nothing was connected in this browser.",
            visitor.opens(callback).url: "Opening it changed nothing.",
        }
        for address, sentence in sentences.items():
            page = other.opens(address)
            assert (page.outcome, page.status) == ("other_browser", 400)
            assert sentence in page.text
            assert "Acme" not in page.text
            assert "bea" not in page.text
    assert len(site.slack.calls(_EXCHANGE)) == 1


def test_another_browser_may_start_its_own_install(site: Site, visitor: BrowserClient) -> None:
    consent = consent_of(visitor, site.link())
    with BrowserClient(site) as other:
        stopped = other.opens(callback_of(other, consent))
        page = other.allows(other.presses(stopped, "try-again"))
    assert page.outcome == "connected"


def test_two_tabs_of_one_browser_both_finish(site: Site, visitor: BrowserClient) -> None:
    first = callback_of(visitor, consent_of(visitor, site.link(subscriber_id="bea")))
    second = callback_of(visitor, consent_of(visitor, site.link(subscriber_id="cy")), workspace="T0ACMETEST")
    with ThreadPoolExecutor(2) as tabs:
        pages = list(tabs.map(visitor.opens, (second, first)))
    assert [page.heading for page in pages] == ["Acme Test is connected", "Acme HQ is connected"]


def test_the_same_page_comes_back_on_reload_and_on_the_same_callback(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    shown = visitor.opens(callback)
    calls = len(site.slack.calls())
    for address in (shown.url, callback, callback, shown.url):
        again = visitor.opens(address)
        assert (again.status, again.heading) == (200, shown.heading)
        assert again.main.get("data-reference") == shown.main.get("data-reference")
    assert len(site.slack.calls()) == calls
    assert urlsplit(shown.url).query == ""


def test_a_state_older_than_ten_minutes_is_refused_every_time(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    clock.forward(minutes=10)
    assert [visitor.opens(callback).outcome for _ in range(2)] == ["state_expired", "state_expired"]
    assert site.slack.calls(_EXCHANGE) == []


def test_states_are_random_and_carry_no_data(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    asked = [parse_qs(urlsplit(consent_of(visitor, link).url).query)["state"][0] for _ in range(2)]
    assert asked[0] != asked[1]
    assert all(len(state) == 43 and "bea" not in state for state in asked)


def test_an_error_counts_only_with_a_state_of_this_browser(site: Site, visitor: BrowserClient) -> None:
    consent = consent_of(visitor, site.link())
    state = parse_qs(urlsplit(consent.url).query)["state"][0]
    begin = "/slack/oauth_redirect?error=access_denied"
    assert visitor.opens(begin).outcome == "no_state"
    assert visitor.opens(f"{begin}&state=made-up").outcome == "state_unknown"
    with BrowserClient(site) as other:
        assert other.opens(f"{begin}&state={state}").outcome == "other_browser"
    assert visitor.allows(consent).outcome == "connected"


def test_a_person_who_canceled_tries_again_with_the_same_settings(site: Site, visitor: BrowserClient) -> None:
    consent = consent_of(visitor, site.link())
    page = visitor.opens(callback_of(visitor, consent, action="cancel"))
    assert (page.outcome, page.status) == ("cancelled", 200)
    assert site.slack.calls(_EXCHANGE) == []
    again = visitor.allows(visitor.presses(page, "try-again"))
    assert again.outcome == "connected"
    assert "bea" in again.text
    assert visitor.opens(page.url).outcome == "cancelled"


def test_a_second_callback_waits_for_the_exchange_of_the_first(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    site.slack.answers_slowly(_EXCHANGE, 20)
    with ThreadPoolExecutor(2) as tabs:
        both = [tabs.submit(visitor.opens, callback) for _ in range(2)]
        quick, slow = wait(both, timeout=15, return_when=FIRST_COMPLETED)
        site.slack.faults.clear()
    assert [one.result().name for one in quick] == ["finishing"]
    assert [one.result().outcome for one in slow] == ["connected"]
    assert len(site.slack.calls(_EXCHANGE)) == 1


def test_a_lost_response_of_slack_is_repaired_by_starting_again(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    site.slack.drops_connection(_EXCHANGE, after=True)
    page = visitor.opens(callback)
    assert page.outcome == "slack_down"
    assert visitor.opens(callback).outcome == "slack_down"
    assert len(site.slack.calls(_EXCHANGE)) == 1
    assert visitor.allows(visitor.presses(page, "try-again")).outcome == "connected"


@pytest.mark.parametrize("offered", [(), ("team:a", "team:b")], ids=["settled", "to be set up"])
def test_grant_that_arrives_after_its_attempt_ended_is_revoked(
    offered: tuple[str, ...], site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=offered)
    site.slack.answers_slowly(_EXCHANGE, 60)
    with ThreadPoolExecutor(1) as threads:
        consent = visitor.presses(visitor.opens(link), "connect")
        asked = threads.submit(visitor.allows, consent)
        assert until(lambda: site.slack.faults.hanging == 1)
        clock.forward(minutes=2)
        assert list(site.runtime.retention.end_attempts()) == [1]
        site.slack.faults.clear()
        assert asked.result(30).outcome == "slack_down"
    assert site.slack.installations() == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("scenario", "heading", "words"),
    [
        ("redirect_server_error", "Slack has a problem", "Slack reported a fault of its own"),
        ("internal_error", "Slack has a problem", "Slack reported a fault of its own"),
        ("redirect_unknown_error", "We could not finish connecting", "Slack refused, and gave a reason"),
        ("bad_client_secret", "We could not finish connecting", "not set up correctly on our side"),
        ("reset", "Slack did not answer", "We don’t know whether Slack finished"),
    ],
)
def test_page_blames_the_one_that_failed(
    scenario: str, heading: str, words: str, site: Site, visitor: BrowserClient
) -> None:
    page = visitor.connects(site.link(), scenario=scenario)
    assert page.heading == heading
    assert words in page.text
    assert ("our side" in page.text) == (scenario == "bad_client_secret")
