"""The callback always leads to an address without code and state, and a known state is no invitation."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.pages.test_callback import callback_of, consent_of

_LINK_TOKEN = re.compile(r"lnk_\w+\.[\w-]+")


def _is_clean(page: Page) -> None:
    address = urlsplit(page.url)
    assert address.path != "/slack/oauth_redirect"
    assert address.query == ""


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("", "no_state"),
        ("code=secret-code", "no_state"),
        ("code=secret-code&state=made-up", "state_unknown"),
        ("code=secret-code&state=%00", "state_unknown"),
        ("code=secret-code&state=a&state=b", "state_unknown"),
        ("code=secret-code&%00=1", "no_state"),
    ],
)
def test_an_outcome_without_an_attempt_has_a_clean_address(query: str, outcome: str, visitor: BrowserClient) -> None:
    page = visitor.opens(f"/slack/oauth_redirect?{query}")
    assert (page.outcome, page.status) == (outcome, 400)
    _is_clean(page)
    assert visitor.opens(page.url).outcome == outcome


@pytest.mark.parametrize(
    ("query", "outcome", "cause"),
    [
        ("code=a%00b", "code_spent_unknown", "had expired or was already used"),
        ("code=%ED%A0%BD", "code_spent_unknown", "had expired or was already used"),
        ("code=", "code_spent_unknown", "without the code"),
        ("error=", "code_spent_unknown", "without the code"),
        ("error=a%00b", "config_error", "Slack refused, and gave a reason"),
        ("error=%ED%A0%BD", "config_error", "Slack refused, and gave a reason"),
        (f"error={'x' * 5000}", "config_error", "Slack refused, and gave a reason"),
        ("error=access_denied%20&error_description=%00", "cancelled", "You closed or declined the request"),
    ],
)
def test_an_odd_query_has_its_outcome_at_a_clean_address(
    query: str, outcome: str, cause: str, site: Site, visitor: BrowserClient
) -> None:
    state = parse_qs(urlsplit(consent_of(visitor, site.link()).url).query)["state"][0]
    page = visitor.opens(f"/slack/oauth_redirect?state={state}&{query}")
    assert (page.outcome, cause in page.text) == (outcome, True)
    _is_clean(page)


def test_an_empty_error_is_none(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    assert visitor.opens(f"{callback}&error=").outcome == "connected"


def test_error_of_slack_turns_no_text_around(site: Site, operator: BrowserClient) -> None:
    state = parse_qs(urlsplit(consent_of(operator, site.link()).url).query)["state"][0]
    page = operator.opens(f"/slack/oauth_redirect?state={state}&error=%E2%80%AEabc")
    assert "Slack refused with the error code abc:" in page.text


def test_a_sign_in_with_an_odd_query_has_a_clean_address(visitor: BrowserClient) -> None:
    for query in ("code=secret-code&state=%00", "code=%00&state=x", "error=%00&state=x"):
        page = visitor.opens(f"/sign-in/slack/callback?{query}")
        assert (urlsplit(page.url).path, urlsplit(page.url).query) == ("/sign-in/slack/refused", "")


def test_another_browser_gets_a_clean_address(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    with BrowserClient(site) as other:
        page = other.opens(callback)
        assert (page.outcome, page.status) == ("other_browser", 400)
        _is_clean(page)
        assert other.opens(page.url).outcome == "other_browser"


def test_a_callback_without_the_database_leads_to_a_clean_address(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    with site.runtime.database.transaction() as session:
        for table in ("attempts", "environments", "integrations"):
            session.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    page = visitor.opens(callback)
    assert (page.outcome, page.status) == ("storage_error", 500)
    _is_clean(page)
    with site.runtime.database.transaction() as session:
        for table in ("attempts", "environments", "integrations"):
            session.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))
    assert visitor.opens(callback).outcome == "connected"


@pytest.mark.parametrize("outcome", ["connected", "nothing", "cancelled"])
def test_no_other_outcome_can_be_put_into_such_an_address(outcome: str, visitor: BrowserClient) -> None:
    assert visitor.opens(f"/slack/ended/{outcome}").status == 404


def test_a_known_state_gives_nobody_the_link(site: Site, visitor: BrowserClient) -> None:
    stopped = stopped_elsewhere(site, visitor)
    assert not _LINK_TOKEN.search(stopped.text)
    with BrowserClient(site) as other:
        page = other.allows(other.presses(other.opens(stopped.url), "try-again"), scenario="cancelled")
        assert page.outcome == "cancelled"
        assert not _LINK_TOKEN.search(page.text)
        assert not list(page.main.iter("button"))


def test_starting_again_elsewhere_ends_with_the_first_attempt(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    with BrowserClient(site) as other:
        stopped = stopped_elsewhere(site, visitor)
        clock.forward(minutes=8)
        consent = other.presses(other.opens(stopped.url), "try-again")
        clock.forward(minutes=3)
        assert other.allows(consent).outcome == "state_expired"
        late = other.presses(stopped, "try-again")
        assert (late.outcome, late.status) == ("other_browser", 400)
        assert not list(late.main.iter("button"))


def test_a_decision_elsewhere_ends_with_the_first_attempt(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    link = site.link(subscriber_id="bea", workspace_id="T0ACMETEST")
    with BrowserClient(site) as other:
        stopped = stopped_elsewhere(site, visitor, link)
        clock.forward(minutes=8)
        page = other.allows(other.presses(other.opens(stopped.url), "try-again"), workspace="T0ACMEHQ01")
        assert page.outcome == "wrong_workspace"
        clock.forward(minutes=1)
        assert other.opens(page.url).outcome == "wrong_workspace"
        clock.forward(minutes=1)
        late = other.opens(page.url)
        assert (late.outcome, site.slack.installations()) == ("state_expired", [])


def test_an_attempt_that_started_elsewhere_names_no_account_before_the_link_is_opened(
    site: Site, visitor: BrowserClient
) -> None:
    link = site.link(subscriber_id="bea-secret", return_url="https://host.example/bea-secret")
    with BrowserClient(site) as other:
        page = other.allows(other.presses(other.opens(stopped_elsewhere(site, visitor, link).url), "try-again"))
        assert page.outcome == "connected"
        assert "bea-secret" not in page.text
        other.opens(link)
        assert "bea-secret" in other.opens(page.url).text


def test_an_attempt_that_started_elsewhere_shows_no_sign_of_a_connection(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link())
    link, kept = site.link(), "The connection that you already have is still in use."
    with BrowserClient(site) as other:
        consent = other.presses(other.opens(stopped_elsewhere(site, visitor, link).url), "try-again")
        canceled = other.allows(consent, scenario="cancelled")
        assert kept not in canceled.text
        other.opens(link)
        assert kept in other.opens(canceled.url).text


def test_an_attempt_that_started_elsewhere_names_no_expected_workspace(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", workspace_id="T0ACMETEST")
    with BrowserClient(site) as other:
        page = other.allows(
            other.presses(other.opens(stopped_elsewhere(site, visitor, link).url), "try-again"), workspace="T0ACMEHQ01"
        )
        assert page.outcome == "wrong_workspace"
        assert "T0ACMETEST" not in page.text
        assert other.presses(page, "do-not-connect").outcome == "cancelled"


def test_a_link_that_leaves_a_choice_is_not_started_elsewhere(site: Site, visitor: BrowserClient) -> None:
    """The set-up page would show the customer's contexts, or take any subscriber."""
    for link in (site.link(is_open=True), site.link(offered_context_keys=("team:a", "team:b"))):
        stopped = stopped_elsewhere(site, visitor, link)
        assert not list(stopped.main.iter("button"))
        assert "Open your link again to start over" in stopped.text


def test_a_forged_token_starts_nothing(site: Site, visitor: BrowserClient) -> None:
    for token in ("x", "att_0000000000000000", "att_0000000000000000.AAAA", site.link().rpartition("/")[2]):
        page = visitor.opens(f"/slack/start-here/{token}")
        assert (page.outcome, page.status) == ("other_browser", 400)
        assert not list(page.main.iter("button"))


def stopped_elsewhere(site: Site, visitor: BrowserClient, link: str = "") -> Page:
    """Open the callback's address, with nothing but the state, in another browser."""
    consent = consent_of(visitor, link or site.link())
    state = parse_qs(urlsplit(consent.url).query)["state"][0]
    with BrowserClient(site) as other:
        stopped = other.opens(f"/slack/oauth_redirect?state={state}&code=x")
        assert stopped.outcome == "other_browser"
        return stopped
