"""The examples of docs/use-it.md: a script that posts, and a Bolt app that reads its tokens from the API."""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from tests.browser_client import BrowserClient, Site
from tests.programs import Program
from tests.waiting import until

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).parents[2] / "examples/bolt"
SCOPES = ("connections:read", "connections:write", "connections:secrets")
SIGNING_SECRET = "signing-secret"


@pytest.fixture
def bolt_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield importlib.import_module("bolt_app")
    for name in ("bolt_app", "installation_store", "connections_api"):
        sys.modules.pop(name, None)


@pytest.fixture
def key(site: Site, visitor: BrowserClient) -> str:
    """Connect a customer, and return an API key."""
    visitor.connects(site.link(subscriber_id="bea", mode="subscriber"))
    return site.api_key("examples", "Development", SCOPES)


def test_script_posts_to_a_customer(site: Site, key: str) -> None:
    assert _run(site, key, "bea", "general", "Hello").returncode == 0
    assert [call.method for call in site.slack.calls()][-1] == "chat.postMessage"
    refused = _run(site, key, "nobody", "general", "Hello")
    assert (refused.returncode, refused.stderr) == (1, "nobody has no working connection: send a link to connect.\n")


def test_script_reports_a_revoked_token(site: Site, key: str) -> None:
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    assert "Slack refused the message" in _run(site, key, "bea", "general", "Hello").stderr
    assert _connection(site, key)["status"] == "needs_reconnect"
    assert "no working connection" in _run(site, key, "bea", "general", "Hello").stderr


def test_bolt_app_answers_an_event_with_the_token_of_the_connection(site: Site, key: str, bolt_app: ModuleType) -> None:
    slack = WebClient(base_url=f"{site.settings.origin}/practice/api/")
    app = bolt_app.create(site.settings.origin, key, "slack-practice", SIGNING_SECRET, slack)
    (installation,) = site.slack.installations()
    channel = slack.conversations_list(token=_connection(site, key)["auth"]["accessToken"])["channels"][0]["id"]
    assert app.dispatch(_mention(installation.workspace_id, channel)).status == 200
    # Bolt runs the listener in a thread of its own.
    assert until(lambda: site.slack.calls()[-1].method == "chat.postMessage")
    calls = [call.method for call in site.slack.calls()]
    assert app.dispatch(_mention("T0UNKNOWN", channel)).status == 200
    assert [call.method for call in site.slack.calls()] == calls


def _run(site: Site, key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "ONBOARDING_URL": site.settings.origin,
        "ONBOARDING_API_KEY": key,
        "ONBOARDING_INTEGRATION": "slack-practice",
        "SLACK_API_URL": f"{site.settings.origin}/practice/api/",
        "NO_PROXY": "*",
    }
    command = [sys.executable, "post_message.py", *arguments]
    return subprocess.run(command, cwd=EXAMPLES, env=environment, capture_output=True, text=True, check=False)


def _connection(site: Site, key: str) -> dict[str, Any]:
    program = Program(site, key)
    (connection,) = program.asks("GET", "/v1/channel-connections").json()["data"]
    program.client.close()
    return dict(connection)


def _mention(team: str, channel: str) -> BoltRequest:
    event = {
        "type": "app_mention",
        "user": "U0PERSON",
        "channel": channel,
        "text": "hi",
        "ts": "1.1",
        "event_ts": "1.1",
    }
    body = json.dumps({"type": "event_callback", "team_id": team, "event_id": "Ev1", "event": event})
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature or "",
    }
    return BoltRequest(body=body, headers=headers)
