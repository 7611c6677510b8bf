"""The test message that an operator sends to a channel of a connected workspace."""

import pytest
from sqlalchemy import update

from onboarding.outcomes import ConnectionStatus
from onboarding.practice.registration import slack_id
from onboarding.services.connections.records import ConsoleSearch
from onboarding.store.connections import ChannelConnection
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site

# Slack decides, and the connection is stored as by every install.
pytestmark = pytest.mark.once

ACME = "T0ACMEHQ01"


def test_message_is_sent_to_a_channel_by_id_or_link(site: Site, operator: BrowserClient) -> None:
    page = _opened(site, operator)
    general = slack_id("C", ACME, "general")
    for typed in (
        general,
        f" {general} ",
        f"https://acme-hq.slack.com/archives/{general}",
        f"https://acme-hq.slack.com/archives/{general}/p1700000000000000?thread_ts=1.2",
        f"https://app.slack.com/client/{ACME}/{general}",
    ):
        page = operator.presses(page, "send-test", channel=typed)
        assert (page.status, page.main.get("data-result")) == (200, "sent"), typed
        assert f"Sent to {general}." in page.text
    posts = [call for call in site.slack.calls() if call.method == "chat.postMessage"]
    assert len(posts) == 5
    tested = [one for one in entries(site.runtime.database) if one.action == "connection.tested"]
    assert {(one.actor, one.detail) for one in tested} == {("operator:ada@northwind.test", general)}


@pytest.mark.parametrize(
    ("channel", "code", "words"),
    [
        ("launch-2024", "is_archived", ("The channel is archived.", "unarchive")),
        ("leadership", "channel_not_found", ("Slack finds no such channel", "/invite")),
        ("announcements", "restricted_action", ("Only some people may post", "Posting permissions")),
        ("incidents", "ratelimited", ("Slack asks us to slow down.", "Wait 5 seconds")),
    ],
)
def test_refusal_of_the_channel_is_explained_with_its_fix(
    channel: str, code: str, words: tuple[str, ...], site: Site, operator: BrowserClient
) -> None:
    page = operator.presses(_opened(site, operator), "send-test", channel=slack_id("C", ACME, channel))
    assert (page.status, page.main.get("data-result")) == (200, code)
    for word in words:
        assert word in page.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_in_channel", "type /invite"),
        ("missing_scope", "Update permissions"),
        ("token_revoked", "Reconnect here"),
        ("internal_error", "slack-status.com"),
        ("new_code", "the error code new_code"),
    ],
)
def test_refusal_of_the_app_is_explained_with_its_fix(
    code: str, words: str, site: Site, operator: BrowserClient
) -> None:
    page = _opened(site, operator)
    site.slack.fails("chat.postMessage", code)
    page = operator.presses(page, "send-test", channel="C0000000")
    assert page.main.get("data-result") == code
    assert words in page.text
    (connection,) = site.runtime.connections.page(
        site.runtime.environments.first().id, ConsoleSearch(), None, None
    ).rows
    is_broken = connection.status is ConnectionStatus.NEEDS_RECONNECT
    assert is_broken == (code == "token_revoked")
    if code == "missing_scope":
        assert operator.presses(page, "update-permissions").outcome == "already_connected"


def test_silent_slack_leaves_open_whether_the_message_was_posted(site: Site, operator: BrowserClient) -> None:
    page = _opened(site, operator)
    site.slack.fails("chat.postMessage", "status_500")
    page = operator.presses(page, "send-test", channel="C0000000")
    assert "The message may have been posted." in page.text


@pytest.mark.parametrize("typed", ["", "#general", "general", "https://acme.example/", "http://[", "c0000000", "C0"])
def test_text_that_names_no_channel_is_refused(typed: str, site: Site, operator: BrowserClient) -> None:
    page = operator.presses(_opened(site, operator), "send-test", channel=typed)
    assert (page.status, page.main.get("data-result")) == (422, "")
    assert "choose Copy, then Copy link" in page.text
    assert "chat.postMessage" not in [call.method for call in site.slack.calls()]


def test_connection_that_is_gone_gets_no_message(site: Site, operator: BrowserClient) -> None:
    page = _opened(site, operator)
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(identifier="chconn_gone"))
    assert operator.presses(page, "send-test", channel="C0000000").status == 404


def _opened(site: Site, operator: BrowserClient) -> Page:
    """Connect a workspace and open the form."""
    operator.connects(site.link())
    (connection,) = site.runtime.connections.page(
        site.runtime.environments.first().id, ConsoleSearch(), None, None
    ).rows
    page = operator.opens(f"/connections/{connection.identifier}/test-message")
    assert page.name == "test-message"
    return page
