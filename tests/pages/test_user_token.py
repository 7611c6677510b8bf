"""Slack may grant a user token without a bot token: it is stored at most for this person's customer."""

from tests.browser_client import BrowserClient, Page, Site
from tests.pages.test_reconnect import details


def shared_link(site: Site) -> str:
    return site.link(mode="shared", context_keys=("team:a",))


def is_refused(page: Page) -> None:
    assert (page.outcome, page.status) == ("config_error", 500)
    assert "Nothing was connected" in page.text


def test_shared_mode_stores_no_user_token(site: Site, visitor: BrowserClient) -> None:
    is_refused(visitor.connects(shared_link(site), scenario="user_only"))
    assert details(site) == []
    assert site.slack.installations() == []
    assert visitor.connects(shared_link(site)).outcome == "connected"


def test_shared_mode_that_the_person_chooses_stores_no_user_token(site: Site, operator: BrowserClient) -> None:
    start = operator.presses(operator.opens("/slack/install"), "connect")
    setup = operator.allows(start, scenario="user_only")
    filled = {"contexts-0-type": "team", "contexts-0-id": "a"}
    page = operator.presses(setup, "save", connection_mode="shared", **filled)
    is_refused(page)
    assert "Add bot scopes to the Slack app" in page.text
    assert details(site) == []
    assert site.slack.installations() == []


def test_a_subscriber_may_be_connected_with_a_user_token(site: Site, visitor: BrowserClient) -> None:
    assert visitor.connects(site.link(), scenario="user_only").outcome in ("connected", "partial_permissions")
    (one,) = details(site)
    assert one.connection.mode == "subscriber"


def test_bot_token_in_use_is_not_replaced_by_a_user_token(site: Site, visitor: BrowserClient) -> None:
    with BrowserClient(site) as other:
        other.connects(shared_link(site))
    (before,) = details(site)
    is_refused(visitor.connects(site.link(), scenario="user_only"))
    (after,) = details(site)
    assert (after.token_last_four, after.connection.scopes) == (before.token_last_four, before.connection.scopes)
    assert site.slack.calls("auth.revoke") == []
