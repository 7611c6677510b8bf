"""The control address, as the CI of a host uses it."""

from typing import Any

import pytest

from onboarding.practice.scenarios import SCENARIOS
from tests.practice.conftest import APP
from tests.practice.walk import ACME, DESIGN, GROUP, HARBOR, Slack, brought_back


def order(slack: Slack, what: str, **body: Any) -> tuple[int, bool]:
    with slack.app.test_client() as client:
        answer = client.post(f"/control/{what}", json=body)
    return answer.status_code, answer.get_json()["ok"]


def test_it_lists_scenarios_methods_and_orders(practice_slack: Slack) -> None:
    listed = practice_slack.get("/control/").get_json()
    assert [row["name"] for row in listed["scenarios"]] == [row.name for row in SCENARIOS]
    assert "oauth.v2.access" in listed["methods"]
    assert set(listed["orders"]) >= {"fault", "consent", "clock", "reset", "uninstall"}


def test_requested_fault_happens_and_is_in_the_log(practice_slack: Slack) -> None:
    assert order(practice_slack, "fault", method="auth.test", fault="fatal_error", times=1) == (200, True)
    assert practice_slack.says_about("xoxb-1") == "fatal_error"
    [call] = practice_slack.get("/control/calls?method=auth.test").get_json()["calls"]
    assert (call["method"], call["ok"], call["error"]) == ("auth.test", False, "fatal_error")


def test_requested_consent_happens(practice_slack: Slack) -> None:
    assert order(practice_slack, "consent", scenario="cancelled_without_description") == (200, True)
    assert brought_back(practice_slack.presses("allow")) == {"error": "access_denied", "state": "state-of-this-attempt"}


def test_clock_set_by_control_expires_tokens(practice_slack: Slack) -> None:
    token = practice_slack.installs(scenario="rotation")["access_token"]
    assert order(practice_slack, "clock", seconds=43_200) == (200, True)
    assert practice_slack.says_about(token) == "token_expired"


def test_admin_actions_are_available_by_control(practice_slack: Slack) -> None:
    app = {"client_id": APP.client_id}
    assert order(practice_slack, "approve", workspace=HARBOR, **app) == (200, True)
    token = practice_slack.installs(HARBOR)["access_token"]
    assert order(practice_slack, "invite", workspace=HARBOR, channel="cases", **app) == (200, True)
    assert order(practice_slack, "mention", workspace=HARBOR, channel="cases") == (409, False), "it lacks the scope"
    practice_slack.installs(GROUP)
    assert order(practice_slack, "add-to-workspace", workspace=DESIGN, **app) == (200, True)
    assert order(practice_slack, "uninstall", workspace=HARBOR, **app) == (200, True)
    assert practice_slack.says_about(token) == "account_inactive"
    assert order(practice_slack, "uninstall", workspace=HARBOR, **app) == (409, False)


def test_workspaces_and_channels_are_changed_by_control_until_a_reset(practice_slack: Slack) -> None:
    before = dict(practice_slack.slack.workspaces)
    archives = {"workspace": ACME, "channel": "sales", "action": "archive"}
    assert order(practice_slack, "channel", **archives) == (200, True)
    assert order(practice_slack, "channel", **archives) == (409, False)
    assert order(practice_slack, "channel", **{**archives, "action": "paint"}) == (400, False)
    assert order(practice_slack, "rename-workspace", workspace=ACME, name="Acme") == (200, True)
    practice_slack.installs(GROUP)
    assert order(practice_slack, "remove-from-workspace", workspace=DESIGN, client_id=APP.client_id) == (409, False)
    assert practice_slack.slack.workspaces[ACME].name == "Acme"
    assert order(practice_slack, "reset") == (200, True)
    assert practice_slack.slack.workspaces == before


def test_reset_forgets_everything(practice_slack: Slack) -> None:
    token = practice_slack.installs()["access_token"]
    order(practice_slack, "fault", method="auth.test", fault="fatal_error")
    order(practice_slack, "consent", scenario="cancelled")
    order(practice_slack, "forward", origin="http://localhost:1")
    assert order(practice_slack, "reset") == (200, True)
    assert practice_slack.slack.calls() == []
    assert practice_slack.says_about(token) == "invalid_auth"
    assert practice_slack.sees_consent().status_code == 200
    assert "code" in brought_back(practice_slack.presses("allow"))


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("fault", {"method": "no.such.method", "fault": "x"}, 400),
        ("fault", {"method": "auth.test"}, 400),
        ("fault", {"method": "auth.test", "fault": "hang", "seconds": "long"}, 400),
        ("fault", {"method": "auth.test", "fault": "hang", "seconds": -1}, 400),
        ("consent", {"scenario": "no_such"}, 400),
        ("uninstall", {"client_id": APP.client_id, "workspace": "T0UNKNOWN"}, 400),
        ("dance", {}, 404),
    ],
)
def test_invalid_order_is_refused(practice_slack: Slack, what: str, body: dict[str, Any], status: int) -> None:
    assert order(practice_slack, what, **body) == (status, False)


def test_order_is_a_json_object(practice_slack: Slack) -> None:
    with practice_slack.app.test_client() as client:
        assert client.post("/control/reset", data={"a": "b"}).status_code == 400
        assert client.post("/control/reset", json=["a"]).status_code == 400
        assert client.post("/control/reset", data="{", content_type="application/json").status_code == 400


def test_page_of_another_site_cannot_give_orders(practice_slack: Slack) -> None:
    practice_slack.installs(ACME)
    with practice_slack.app.test_client() as client:
        answer = client.post("/control/reset", json={}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert len(practice_slack.slack.installations()) == 1
