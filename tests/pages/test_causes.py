"""Each of Slack's error codes has a page with the right cause and the person who can act, and a hint for operators."""

from dataclasses import dataclass

import pytest

from tests.browser_client import BrowserClient, Page, Site

pytestmark = pytest.mark.once

_SET_UP = "We could not finish connecting"
_OUR_SIDE = "Something is not set up correctly on our side."
_NOT_ALLOWED = "Your Slack settings do not allow this app"
_STATUS = "https://slack-status.com"


def words_of(page: Page) -> str:
    return " ".join("".join(page.main.itertext()).split())


def actions_of(page: Page) -> set[str]:
    return {button.get("data-action", "") for button in page.main.iter("button")} - {""}


@dataclass(frozen=True)
class Case:
    """A scenario of the practice Slack, and what its page says."""

    scenario: str
    heading: str
    cause: str
    #: The `data-action` of the person's next step.
    action: str
    #: A part of the hint that operators see; empty if they see none.
    hint: str


CASES = (
    Case("code_missing", "Slack’s answer was incomplete", "without the code that is needed", "try-again", ""),
    Case("invalid_code", "Slack’s approval can’t be used any more", "had expired or was already used", "try-again", ""),
    Case("oauth_authorization_url_mismatch", _SET_UP, _OUR_SIDE, "try-again", "SLACK_URL must name the Slack"),
    Case("bad_client_secret", _SET_UP, _OUR_SIDE, "try-again", "integration set --client-secret -"),
    Case("redirect_invalid_scope", _SET_UP, _OUR_SIDE, "try-again", "asks for a scope that Slack does not accept"),
    Case("redirect_unknown_error", _SET_UP, "Slack refused, and gave a reason", "try-again", "<b>new & odd</b>"),
    Case(
        "redirect_server_error", "Slack has a problem", "a fault of its own", "try-again", f"Slack's. Check {_STATUS}"
    ),
    Case("status_500", "Slack did not answer", "whether Slack finished", "try-again", f"status 500. Check {_STATUS}"),
    Case("html_200", "Slack did not answer", "whether Slack finished", "try-again", f"status 200. Check {_STATUS}"),
    Case("ratelimited", "Slack is busy", "Slack asked us to wait", "try-again", ""),
    Case(
        "two_factor_setup_required",
        "Set up two-factor authentication in Slack",
        "Set it up in your Slack account settings",
        "try-again",
        "The person has to set it up",
    ),
    Case(
        "user_email_unverified",
        "Confirm your email address in Slack",
        "Open the message that Slack sent you",
        "try-again",
        "The person has to confirm",
    ),
    Case(
        "account_inactive",
        "This Slack account is deactivated",
        "Sign in to Slack with another account",
        "try-again",
        "has to use another account",
    ),
    Case(
        "accesslimited",
        "Slack does not allow this network",
        "from your company’s network or VPN",
        "try-again",
        "The customer has to use one of them",
    ),
    Case(
        "ekm_access_denied",
        "Your organization has paused Slack’s access",
        "suspended Slack’s access to the organization’s encryption keys",
        "try-again",
        "They have to restore it",
    ),
    Case("org_login_required", "Your workspace is moving", "until the move is finished", "try-again", "after the move"),
    Case("team_added_to_org", "Your workspace is moving", "until the move is finished", "try-again", "after the move"),
    Case("enterprise_is_restricted", _NOT_ALLOWED, "admins decide", "ask-admin", "A Slack admin there has to allow it"),
    Case("no_permission", _NOT_ALLOWED, "admins decide", "ask-admin", "A Slack admin there has to allow it"),
    Case("exchange_access_denied", _NOT_ALLOWED, "admins decide", "ask-admin", "A Slack admin there has to allow it"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario)
def test_page_names_the_cause_and_the_person_who_can_act(case: Case, site: Site, operator: BrowserClient) -> None:
    page = operator.connects(site.link(), scenario=case.scenario)
    words = words_of(page)
    assert (page.heading, case.cause in words) == (case.heading, True)
    assert actions_of(page) == {case.action, "try-again"}
    assert ("our side" in words, "admins decide" in words) == (case.cause == _OUR_SIDE, case.cause == "admins decide")
    assert case.hint in words
    assert ("You see this as an operator." in words) == bool(case.hint)
    assert ".:" not in words, "a sentence, and not a code between two"


def test_chosen_app_is_the_one_that_is_shown_and_asked_for(site: Site, operator: BrowserClient) -> None:
    site.add_practice_app("slack-two", "Southwind")
    site.change_integration("slack-two", scopes=("users:read", "files:write"))
    choice = operator.opens("/slack/install")
    assert choice.name == "choose-app"
    (address,) = (link.get("href", "") for link in choice.main.iter("a") if "slack-two" in link.get("href", ""))
    start = operator.opens(address)
    assert start.heading == "Connect Slack to Southwind"
    assert {scope for scope in ("users:read", "files:write", "chat:write") if scope in start.text} == {
        "users:read",
        "files:write",
    }
    consent = operator.presses(start, "connect")
    assert "scope=users%3Aread%2Cfiles%3Awrite" in consent.url


def test_organization_sees_one_story(site: Site, visitor: BrowserClient) -> None:
    page = visitor.connects(site.link(), scenario="org_install")
    words = words_of(page)
    assert "not in any workspace yet" in words
    assert "close this page" not in words
    assert "can now post" not in words


def test_result_of_an_unknown_install_promises_no_button(visitor: BrowserClient) -> None:
    page = visitor.opens("/slack/result/att_x")
    assert (page.outcome, actions_of(page)) == ("other_browser", set())
    assert "start here again" not in words_of(page).lower()
    assert "open your link again." in words_of(page)


def test_address_of_a_result_says_nothing_false_in_another_browser(site: Site, visitor: BrowserClient) -> None:
    done = visitor.connects(site.link())
    with BrowserClient(site) as colleague:
        page = colleague.opens(done.url)
    assert (page.outcome, page.heading) == ("other_browser", "This page can’t be opened here")
    for words in ("Nothing was connected", "start over", "Acme HQ"):
        assert words not in words_of(page)


def test_taken_workspace_and_our_fault_name_a_contact(site: Site, visitor: BrowserClient) -> None:
    site.add_practice_app("strict", "Strict", "Development", workspace_policy="refuse")
    with BrowserClient(site) as other:
        other.connects(site.link("strict", subscriber_id="ada"))
    taken = words_of(visitor.connects(site.link("strict", subscriber_id="bea")))
    assert "If you think this is wrong, contact" in taken
    assert "stays like this" not in taken
    ours = words_of(visitor.connects(site.link(), scenario="bad_client_secret"))
    assert "once Northwind has fixed it, you can try again" in ours
    assert "trying again helps" not in ours
