"""Channels: lists by pages, joining, and posting."""

from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from onboarding.practice import admins
from tests.practice.walk import ACME, ACME_TEST, DESIGN, GROUP, Slack, body, error_of

ALL = "chat:write,channels:read,channels:join,groups:read"


def named(client: WebClient, **query: Any) -> list[str]:
    """Return all channel names, page after page to the end."""
    names: list[str] = []
    cursor: str | None = None
    for _ in range(400):
        page = body(client.conversations_list(cursor=cursor, **query))
        names += [channel["name"] for channel in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            return names
    raise AssertionError("the list has no end")


def refusal(client: WebClient, method: str, **query: Any) -> str:
    with pytest.raises(SlackApiError) as problem:
        client.api_call(method, params=query)
    return error_of(problem.value)


def channel(slack: Slack, name: str, workspace: str = ACME) -> str:
    return next(found.id for found in slack.slack.workspaces[workspace].channels if found.name == name)


@pytest.fixture
def bot(practice_slack: Slack) -> WebClient:
    return practice_slack.client(practice_slack.installs(scope=ALL)["access_token"])


@pytest.mark.parametrize("limit", [7, 100, 999])
def test_list_is_complete_for_every_page_size(practice_slack: Slack, limit: int) -> None:
    client = practice_slack.client(practice_slack.installs(ACME_TEST)["access_token"])
    names = named(client, limit=limit)
    assert len(names) == len(set(names)) == 248
    assert len(named(client, limit=limit, exclude_archived=True)) == 200


def test_pages_can_be_short_before_the_end(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(ACME_TEST)["access_token"])
    page = body(client.conversations_list(limit=20, exclude_archived=True))
    assert len(page["channels"]) < 20
    assert page["response_metadata"]["next_cursor"]


def test_private_channel_is_seen_once_the_bot_is_invited(practice_slack: Slack, bot: WebClient) -> None:
    assert "leadership" not in named(bot, types="public_channel,private_channel")
    assert practice_slack.slack.invites_bot(practice_slack.registered.client_id, ACME, "leadership")
    assert named(bot, types="private_channel") == ["leadership"]
    assert "leadership" not in named(bot)
    assert bot.conversations_info(channel=channel(practice_slack, "leadership"))["channel"]["is_private"] is True


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": 1000}, "invalid_limit"),
        ({"limit": 0}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"cursor": "bm90aGluZw=="}, "invalid_cursor"),
        ({"cursor": "%%%"}, "invalid_cursor"),
        ({"types": "public"}, "invalid_types"),
        ({"types": "im"}, "missing_scope"),
    ],
)
def test_wrong_list_request_is_refused(bot: WebClient, query: dict[str, Any], error: str) -> None:
    assert refusal(bot, "conversations.list", **query) == error


def test_private_channels_need_their_own_scope(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs()["access_token"])
    with pytest.raises(SlackApiError) as problem:
        client.conversations_list(types="public_channel,private_channel")
    assert (error_of(problem.value), problem.value.response["needed"]) == ("missing_scope", "groups:read")


def test_bot_joins_and_then_posts(practice_slack: Slack, bot: WebClient) -> None:
    general = channel(practice_slack, "general")
    assert refusal(bot, "chat.postMessage", channel=general, text="hello") == "not_in_channel"
    assert bot.conversations_join(channel=general)["channel"]["is_member"] is True
    assert bot.conversations_join(channel=general)["warning"] == "already_in_channel"
    posted = bot.chat_postMessage(channel="#general", text="hello")
    assert posted["channel"] == general
    assert posted["message"]["text"] == "hello"
    assert float(posted["ts"]) > 0


def test_public_channels_need_no_joining_with_the_scope_for_it(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(scope="chat:write,chat:write.public")["access_token"])
    assert client.chat_postMessage(channel=channel(practice_slack, "general"), text="hello")["ok"] is True


@pytest.mark.parametrize(
    ("method", "name", "error"),
    [
        ("chat.postMessage", "launch-2024", "is_archived"),
        ("chat.postMessage", "leadership", "channel_not_found"),
        ("chat.postMessage", None, "channel_not_found"),
        ("conversations.join", "launch-2024", "is_archived"),
        ("conversations.join", "leadership", "channel_not_found"),
        ("conversations.info", "leadership", "channel_not_found"),
        ("conversations.info", None, "channel_not_found"),
    ],
)
def test_channel_that_cannot_be_used_is_refused(
    practice_slack: Slack, bot: WebClient, method: str, name: str | None, error: str
) -> None:
    wanted = channel(practice_slack, name) if name else "C0UNKNOWN"
    assert refusal(bot, method, channel=wanted, text="hello") == error


def test_channel_refuses_messages_of_apps_and_too_many_of_them(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(scope="chat:write,chat:write.public")["access_token"])
    for name, status, error in (("announcements", 200, "restricted_action"), ("incidents", 429, "ratelimited")):
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel=channel(practice_slack, name), text="hello")
        assert (refused.value.response.status_code, refused.value.response["error"]) == (status, error)
    assert refused.value.response.headers["Retry-After"] == "5"


def test_start_page_lists_channels_and_invites_the_app(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(scope=ALL)["access_token"])
    leadership = channel(practice_slack, "leadership")
    assert leadership in httpx.get(f"{practice_slack.url}/").text
    chosen = {"client_id": practice_slack.registered.client_id, "workspace": ACME, "channel": "leadership"}
    page = httpx.post(f"{practice_slack.url}/invite", data=chosen, follow_redirects=True)
    assert page.status_code == 200
    assert 'Invite Northwind<span class="for-ears"> to leadership' not in page.text
    assert client.chat_postMessage(channel=leadership, text="hello")["ok"] is True


def test_private_channel_is_joined_by_invitation_only(practice_slack: Slack, bot: WebClient) -> None:
    practice_slack.slack.invites_bot(practice_slack.registered.client_id, ACME, "leadership")
    error = refusal(bot, "conversations.join", channel=channel(practice_slack, "leadership"))
    assert error == "method_not_supported_for_channel_type"


@pytest.mark.parametrize(("text", "error"), [("", "no_text"), ("a" * 40_001, "msg_too_long")])
def test_message_has_a_text_of_some_length(practice_slack: Slack, bot: WebClient, text: str, error: str) -> None:
    assert refusal(bot, "chat.postMessage", channel=channel(practice_slack, "general"), text=text) == error


def test_token_of_an_organization_names_the_workspace(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(GROUP, scope=ALL)["access_token"])
    assert refusal(client, "conversations.list") == "missing_argument"
    assert refusal(client, "conversations.list", team_id=ACME) == "team_not_found"
    assert refusal(client, "conversations.list", team_id=DESIGN) == "team_access_not_granted"
    admins.add_to_workspace(practice_slack.slack, practice_slack.registered.client_id, DESIGN)
    assert "brand" in named(client, team_id=DESIGN)


def test_token_of_an_organization_posts_by_channel_id(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(GROUP, scope="chat:write,chat:write.public")["access_token"])
    brand = channel(practice_slack, "brand", DESIGN)
    assert refusal(client, "chat.postMessage", channel=brand, text="hello") == "channel_not_found"
    admins.add_to_workspace(practice_slack.slack, practice_slack.registered.client_id, DESIGN)
    assert client.chat_postMessage(channel=brand, text="hello")["ok"] is True
    assert refusal(client, "chat.postMessage", channel="#brand", text="hello") == "team_not_found"
