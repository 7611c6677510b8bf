"""Each change of a connection, and each install without one, is an event in the transaction of the change."""

import json

import pytest

from onboarding.callers import SHELL
from onboarding.errors import SlackDown
from onboarding.practice import admins
from onboarding.services.connections.records import Auth, NewConnection, NewCredentials, Workspace
from tests.browser_client import BrowserClient
from tests.conftest import Clock
from tests.webhooks.conftest import Hooks

TOKEN = "token-of-acme-hq"


def test_life_of_a_connection_is_sent_in_order_signed_and_without_a_token(hooks: Hooks, visitor: BrowserClient) -> None:
    endpoint, site = hooks.add(), hooks.site
    visitor.connects(site.link(subscriber_id="bea", mode="subscriber", reference="order-7"))
    visitor.connects(site.link(subscriber_id="bea", mode="subscriber"))
    name = hooks.deliveries()[0].subject
    site.runtime.connections.disconnect(hooks.environment_id, name, SHELL)
    hooks.send_due()
    got = hooks.receiver.got
    assert endpoint.secret is not None
    for one in got:
        one.verify(endpoint.secret)
        assert "xoxb-" not in one.body
        assert (one.headers["webhook-id"], one.headers["content-type"]) == (one.event["id"], "application/json")
    assert hooks.receiver.types() == ["connection.connected", "connection.reconnected", "connection.disconnected"]
    first, second, last = (one.event["data"] for one in got)
    assert [one["sequence"] for one in (first, second, last)] == [1, 2, 3]
    assert (first["connection"]["identifier"], first["connection"]["subscriberId"]) == (name, "bea")
    assert first["connection"]["auth"] == {"accessToken": "", "hasAccessToken": True}
    assert (first["reference"], first["next"]) == ("order-7", ["choose_channel"])
    assert first["change"] == {"actor": "link", "cause": "installed"}
    assert last["change"] == {"actor": "shell", "cause": "requested", "previous": {"status": "healthy"}}
    assert last["connection"]["status"] == "disconnected"
    assert last["connection"]["auth"] == {"accessToken": "", "hasAccessToken": False}


def test_changes_through_the_api_are_sent(hooks: Hooks) -> None:
    hooks.add()
    connections, caller = hooks.site.runtime.connections, hooks.site.caller()
    new = NewConnection("slack-practice", Workspace("T1", "One"), Auth(TOKEN), "mine", subscriber_id="bea")
    connections.create(caller, new, lambda *_: None)
    changed = NewCredentials(Workspace("T2"), Auth("token-of-another"))
    connections.replace_credentials(caller, "mine", changed, lambda *_: None)
    created, replaced = hooks.deliveries()
    assert (created.event, replaced.event) == ("connection.connected", "connection.reconnected")
    assert '"cause":"created_through_api"' in created.body
    assert '"previous":{"workspace":{"id":"T1","name":"One"},"status":"unknown"}' in replaced.body
    assert TOKEN not in created.body + replaced.body


def test_changes_that_a_check_finds_are_sent_with_the_values_before(hooks: Hooks, visitor: BrowserClient) -> None:
    hooks.add()
    visitor.connects(hooks.site.link())
    connected = json.loads(hooks.deliveries()[0].body)["data"]["connection"]
    with hooks.site.slack.changing() as ledger:
        (token,) = ledger.tokens.values()
        token.scopes = ["chat:write"]
    assert admins.rename_workspace(hooks.site.slack, "T0ACMEHQ01", "Umbra")
    hooks.site.runtime.connections.verify(hooks.environment_id, connected["identifier"])
    changes = {one.event: json.loads(one.body)["data"]["change"] for one in hooks.deliveries()}
    workspace = {"id": "T0ACMEHQ01", "name": connected["workspace"]["name"]}
    assert changes["connection.renamed"]["previous"] == {"workspace": workspace}
    assert changes["connection.permissions_changed"]["previous"] == {"scopes": connected["scopes"]}


def test_change_that_is_rolled_back_is_not_sent(hooks: Hooks) -> None:
    hooks.add()

    def fail(*_arguments: object) -> None:
        raise InterruptedError

    new = NewConnection("slack-practice", Workspace("T1"), Auth(TOKEN), subscriber_id="bea")
    with pytest.raises(InterruptedError):
        hooks.site.runtime.connections.create(hooks.site.caller(), new, fail)
    assert (hooks.deliveries(), hooks.waiting()) == ((), [])


def test_endpoint_gets_only_the_events_that_it_chose(hooks: Hooks, visitor: BrowserClient) -> None:
    hooks.add("connection.disconnected")
    both = hooks.add("connection.disconnected", "connection.connected")
    visitor.connects(hooks.site.link())
    (one,) = hooks.deliveries()
    assert (one.endpoint_id, one.event) == (both.id, "connection.connected")


def test_installs_without_a_connection_are_sent(hooks: Hooks, visitor: BrowserClient) -> None:
    hooks.add("attempt.failed", "attempt.awaiting_approval")
    link = hooks.site.link(subscriber_id="bea", mode="subscriber", reference="order-8")
    cancelled = visitor.presses(visitor.presses(visitor.opens(link), "connect"), "cancel")
    assert cancelled.outcome == "cancelled"
    visitor.presses(cancelled, "ask-admin")
    hooks.send_due()
    failed, awaiting = (one.event for one in hooks.receiver.got)
    assert (failed["type"], awaiting["type"]) == ("attempt.failed", "attempt.awaiting_approval")
    attempt = failed["data"]["attempt"]
    assert attempt["reference"] == cancelled.main.get("data-reference")
    assert (attempt["outcome"], attempt["subscriberId"]) == ("cancelled", "bea")
    assert attempt["integrationIdentifier"] == "slack-practice"
    assert (failed["data"]["reference"], failed["data"]["next"]) == ("order-8", ["try_again"])
    assert awaiting["data"]["next"] == ["approve"]


def test_numbers_of_a_reused_identifier_go_on(hooks: Hooks) -> None:
    hooks.add()
    connections, caller = hooks.site.runtime.connections, hooks.site.caller()
    new = NewConnection("slack-practice", Workspace("T1"), Auth(TOKEN), "mine", subscriber_id="bea")
    for _ in range(2):
        connections.create(caller, new, lambda *_: None)
        connections.disconnect(hooks.environment_id, "mine", SHELL, revoke=False)
    assert [one.sequence for one in hooks.deliveries()] == [1, 2, 3, 4]


def test_token_that_slack_rejects_and_accepts_again_is_sent(hooks: Hooks, visitor: BrowserClient) -> None:
    hooks.add("connection.connected", "connection.broken", "connection.healed")
    visitor.connects(hooks.site.link())
    name = hooks.deliveries()[0].subject
    hooks.site.slack.fails("auth.test", "invalid_auth")
    hooks.site.runtime.connections.verify(hooks.environment_id, name)
    hooks.site.runtime.connections.verify(hooks.environment_id, name)
    hooks.send_due()
    _, broken, healed = (one.event for one in hooks.receiver.got)
    assert (broken["type"], healed["type"]) == ("connection.broken", "connection.healed")
    assert broken["data"]["connection"]["status"] == "needs_reconnect"
    assert broken["data"]["change"]["previous"] == {"status": "healthy"}
    assert broken["data"]["next"] == ["reconnect"]
    assert healed["data"]["connection"]["status"] == "healthy"


def test_connection_about_which_slack_does_not_answer_is_sent_and_healed(
    hooks: Hooks, visitor: BrowserClient, clock: Clock
) -> None:
    hooks.add("connection.connected", "connection.unreachable", "connection.healed")
    visitor.connects(hooks.site.link())
    name = hooks.deliveries()[0].subject
    hooks.site.slack.fails("auth.test", "status_500", times=3)
    for minutes in (0, 59, 1):
        clock.forward(minutes=minutes)
        with pytest.raises(SlackDown):
            hooks.site.runtime.connections.verify(hooks.environment_id, name)
    hooks.site.runtime.connections.verify(hooks.environment_id, name)
    hooks.send_due()
    _, unreachable, healed = (one.event for one in hooks.receiver.got)
    assert (unreachable["type"], healed["type"]) == ("connection.unreachable", "connection.healed")
    assert unreachable["data"]["connection"]["status"] == "unreachable"
    change = unreachable["data"]["change"]
    assert (change["actor"], change["cause"], change["previous"]) == ("system", "checked", {"status": "healthy"})
    assert change["reason"].startswith("Slack has not answered since ")
    assert healed["data"]["change"]["previous"] == {"status": "unreachable"}
