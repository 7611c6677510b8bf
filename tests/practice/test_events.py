"""Signed events: the app hears of an uninstall or a revocation."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

import pytest
from flask import Flask, request
from slack_sdk.signature import SignatureVerifier

from onboarding.practice import admins
from onboarding.practice.events import signature_headers
from tests.practice.conftest import APP, make_slack
from tests.practice.walk import ACME, DESIGN, GROUP, Slack
from tests.serving import served


@dataclass
class Listener:
    """The app's events address: keeps each event that it receives, and answers as ordered."""

    received: Queue[tuple[bytes, dict[str, str]]] = field(default_factory=Queue)
    answers: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("listener")

        @app.post("/slack/events")
        def events() -> tuple[str, int]:
            self.received.put((request.get_data(), dict(request.headers)))
            return "", self.answers.pop(0) if self.answers else 200

        return app

    def events(self, count: int) -> list[dict[str, Any]]:
        return [json.loads(self.received.get(timeout=10)[0]) for _ in range(count)]


@pytest.fixture
def practice_listener() -> Listener:
    return Listener()


@pytest.fixture
def slack_with_events(practice_listener: Listener) -> Iterator[Slack]:
    with served(practice_listener.app()) as listener_url:
        slack = make_slack(events_url=f"{listener_url}/slack/events")
        with served(slack.app) as url:
            slack.url = url
            yield slack
            slack.slack.reset()
            assert slack.slack.events.wait_until_sent()


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"]["type"] for event in events]


def test_uninstall_is_reported_in_slacks_envelope(slack_with_events: Slack, practice_listener: Listener) -> None:
    installed = slack_with_events.installs(user_scope="users:read")
    slack_with_events.slack.removes_app(APP.client_id, ACME)
    revoked, uninstalled = practice_listener.events(2)
    assert types([revoked, uninstalled]) == ["tokens_revoked", "app_uninstalled"]
    assert revoked["event"]["tokens"] == {
        "oauth": [installed["authed_user"]["id"]],
        "bot": [installed["bot_user_id"]],
    }
    for event in (revoked, uninstalled):
        assert event["type"] == "event_callback"
        assert (event["team_id"], event["api_app_id"]) == (ACME, installed["app_id"])
        assert re.fullmatch(r"Ev\w{8,}", event["event_id"])
    assert revoked["event_id"] != uninstalled["event_id"]


def test_events_are_signed_as_slack_signs(slack_with_events: Slack, practice_listener: Listener) -> None:
    slack_with_events.installs()
    slack_with_events.slack.removes_app(APP.client_id, ACME)
    body, headers = practice_listener.received.get(timeout=10)
    assert SignatureVerifier(APP.signing_secret).is_valid_request(body, headers)
    assert not SignatureVerifier("another-secret").is_valid_request(body, headers)


def test_signature_agrees_with_slacks_published_example() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = signature_headers("8f742231b10e8888abcd99yyyzzz85a5", body, 1531420618)
    assert headers["X-Slack-Signature"] == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_order_of_the_two_events_can_be_the_other_one(slack_with_events: Slack, practice_listener: Listener) -> None:
    slack_with_events.installs()
    slack_with_events.slack.events.uninstalled_first = True
    slack_with_events.slack.removes_app(APP.client_id, ACME)
    assert types(practice_listener.events(2)) == ["app_uninstalled", "tokens_revoked"]


def test_uninstall_from_an_organization_names_it(slack_with_events: Slack, practice_listener: Listener) -> None:
    slack_with_events.installs(GROUP)
    slack_with_events.slack.removes_app(APP.client_id, GROUP)
    [event] = practice_listener.events(1)
    assert (event["team_id"], event["enterprise_id"]) == (None, GROUP)


def test_revoking_the_bot_token_is_reported(slack_with_events: Slack, practice_listener: Listener) -> None:
    installed = slack_with_events.installs(user_scope="users:read")
    slack_with_events.client(installed["access_token"]).auth_revoke()
    assert slack_with_events.slack.events.wait_until_sent()
    [event] = practice_listener.events(1)
    assert event["event"] == {
        "type": "tokens_revoked",
        "tokens": {"oauth": [], "bot": [installed["bot_user_id"]]},
    }
    assert practice_listener.received.empty()


def test_revoking_a_rotating_token_is_not_reported(slack_with_events: Slack, practice_listener: Listener) -> None:
    slack_with_events.client(slack_with_events.installs(scenario="rotation")["access_token"]).auth_revoke()
    assert slack_with_events.slack.events.wait_until_sent()
    assert practice_listener.received.empty()


def test_changes_of_channels_are_reported_to_apps_with_the_scope(
    slack_with_events: Slack, practice_listener: Listener
) -> None:
    slack_with_events.installs()
    slack = slack_with_events.slack
    [sales] = [one for one in slack.workspaces[ACME].channels if one.name == "sales"]
    for action, name in (("archive", ""), ("unarchive", ""), ("rename", "revenue")):
        assert admins.change_channel(slack, ACME, "sales", action, name)
        assert slack.events.wait_until_sent()
    assert admins.change_channel(slack, ACME, "revenue", "delete")
    events = practice_listener.events(4)
    assert types(events) == ["channel_archive", "channel_unarchive", "channel_rename", "channel_deleted"]
    assert [one["event"]["channel"] for one in events[:2]] == [sales.id] * 2
    assert (events[2]["event"]["channel"]["id"], events[2]["event"]["channel"]["name"]) == (sales.id, "revenue")
    assert {one["authorizations"][0]["team_id"] for one in events} == {ACME}
    # The app lacks groups:read and team:read.
    assert admins.change_channel(slack, ACME, "leadership", "archive")
    assert admins.rename_workspace(slack, ACME, "Acme")
    assert slack.events.wait_until_sent()
    assert practice_listener.received.empty()


def test_app_is_mentioned_in_channels_that_it_was_invited_to(
    slack_with_events: Slack, practice_listener: Listener
) -> None:
    installed = slack_with_events.installs(scope="chat:write,app_mentions:read")
    slack = slack_with_events.slack
    assert not admins.mention(slack, ACME, "sales"), "the app is not in the channel"
    assert slack.invites_bot(APP.client_id, ACME, "sales")
    assert not admins.mention(slack, ACME, "nowhere")
    assert admins.mention(slack, ACME, "sales")
    (received,) = practice_listener.events(1)
    [sales] = [one for one in slack.workspaces[ACME].channels if one.name == "sales"]
    assert (received["event"]["type"], received["event"]["channel"]) == ("app_mention", sales.id)
    assert installed["bot_user_id"] in received["event"]["text"]
    assert (received["team_id"], received["authorizations"][0]["user_id"]) == (ACME, installed["bot_user_id"])


@pytest.mark.parametrize(
    ("channel", "action", "name"),
    [("nowhere", "archive", ""), ("sales", "unarchive", ""), ("sales", "rename", "random"), ("sales", "rename", "A b")],
)
def test_impossible_change_of_a_channel_changes_nothing(
    channel: str, action: str, name: str, practice_slack: Slack
) -> None:
    before = practice_slack.slack.workspaces[ACME]
    assert not admins.change_channel(practice_slack.slack, ACME, channel, action, name)
    assert practice_slack.slack.workspaces[ACME] == before


def test_app_of_an_organization_learns_of_its_workspaces(slack_with_events: Slack, practice_listener: Listener) -> None:
    slack_with_events.installs(GROUP)
    for change in (admins.add_to_workspace, admins.remove_from_workspace):
        assert change(slack_with_events.slack, APP.client_id, DESIGN)
        assert slack_with_events.slack.events.wait_until_sent()
    assert not admins.remove_from_workspace(slack_with_events.slack, APP.client_id, DESIGN)
    granted, revoked = practice_listener.events(2)
    assert types([granted, revoked]) == ["team_access_granted", "team_access_revoked"]
    assert (granted["event"]["team_ids"], granted["team_id"], granted["enterprise_id"]) == ([DESIGN], None, GROUP)
    assert practice_listener.received.empty()


def test_failed_delivery_is_tried_again_with_slacks_headers(
    slack_with_events: Slack, practice_listener: Listener
) -> None:
    practice_listener.answers = [500]
    slack_with_events.installs()
    slack_with_events.slack.removes_app(APP.client_id, ACME)
    (first, first_headers), (again, again_headers) = (practice_listener.received.get(timeout=10) for _ in range(2))
    assert first == again
    assert "X-Slack-Retry-Num" not in first_headers
    assert (again_headers["X-Slack-Retry-Num"], again_headers["X-Slack-Retry-Reason"]) == ("1", "http_error")
    assert slack_with_events.slack.events.wait_until_sent()
    delivered = [
        (delivery.event_type, delivery.tries, delivery.status)
        for delivery in slack_with_events.slack.events.deliveries()
    ]
    assert delivered == [("tokens_revoked", 2, 200), ("app_uninstalled", 1, 200)]


def test_without_an_events_address_nothing_is_sent(practice_slack: Slack) -> None:
    practice_slack.installs()
    assert practice_slack.slack.removes_app(APP.client_id, ACME)
    assert practice_slack.slack.events.deliveries() == []


def test_events_address_is_an_http_address() -> None:
    with pytest.raises(ValueError, match="http"):
        make_slack(events_url="file:///etc/hostname")
