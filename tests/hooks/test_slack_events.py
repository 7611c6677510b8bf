"""Slack's events: forged and malformed ones are refused, and the others take effect."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from tests.browser_client import BrowserClient, Site
from tests.hooks.conftest import Scene
from tests.hooks.sender import ACME, Sender, works

UNINSTALLED = "The app was removed from the workspace in Slack."


def connects(scene: Scene, subscriber: str, workspace: str = ACME) -> str:
    """Connect a workspace and return the connection's identifier."""
    with BrowserClient(scene.site) as browser:
        page = browser.connects(scene.site.link(mode="subscriber", subscriber_id=subscriber), workspace=workspace)
        assert page.outcome in ("connected", "reconnected")
    (one,) = scene.program.lists(f"subscriberId={subscriber}&connectionMode=subscriber")
    return one


def shown(scene: Scene, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = scene.program.asks("GET", f"/v1/channel-connections/{identifier}").json()
    return found


def audited(scene: Scene, identifier: str) -> list[tuple[str, str, str]]:
    query = text("SELECT actor, action, detail FROM audit_entries WHERE subject = :subject ORDER BY at")
    with scene.site.runtime.database.engine.connect() as connection:
        rows = connection.execute(query, {"subject": identifier})
        return [(row.actor, row.action, row.detail) for row in rows]


@contextmanager
def hook(scene: Scene, *events: str) -> Iterator[list[str]]:
    """Add a webhook endpoint. At the end, the list contains the bodies that it gets, the oldest first."""
    new = {"url": "http://127.0.0.1:9/hook", "events": events}
    created = scene.program.asks("POST", "/v1/webhook-endpoints", new).json()["id"]
    bodies: list[str] = []
    yield bodies
    listed = scene.program.asks("GET", f"/v1/webhook-deliveries?endpointId={created}&limit=100").json()["data"]
    scene.program.asks("DELETE", f"/v1/webhook-endpoints/{created}")
    bodies += [one["body"] for one in reversed(listed)]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Slack_Signature": ""},
        {"X_Slack_Signature": "v0=" + "0" * 64},
        {"X_Slack_Signature": "v0=é"},
        {"X_Slack_Signature": "v1=" + "0" * 64},
        {"X_Slack_Request_Timestamp": ""},
        {"X_Slack_Request_Timestamp": "now"},
        {"X_Slack_Request_Timestamp": "-1"},
        {"X_Slack_Request_Timestamp": "9" * 400},
        {"X_Slack_Request_Timestamp": "1531420618"},
    ],
)
def test_request_with_a_wrong_signature_is_refused(headers: dict[str, str], scene: Scene) -> None:
    answer = scene.slack.sends(scene.slack.event("app_uninstalled"), **headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Slack")
    assert "X-Slack-No-Retry" not in answer.headers, (
        "the operator may store the right secret until Slack sends it again"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"type": "event_callback"}',
        b'{"type": ["url_verification"]}',
        b'{"type": "url_verification", "challenge": 1}',
        b"payload=%7B%7D",
        b"[" * 100_000,
        json.dumps({"type": "event_callback", "api_app_id": "A1", "event_id": "\0", "event": {"type": "x"}}).encode(),
        json.dumps({"type": "event_callback", "api_app_id": "A1", "event_id": "Ev1", "event": {"type": "x"}}).encode(),
    ],
)
def test_signed_request_that_is_malformed_is_refused(body: bytes, scene: Scene) -> None:
    assert scene.slack.sends(body).status_code == 401
    form = scene.slack.sends(body, Content_Type="application/x-www-form-urlencoded")
    assert form.status_code == 401


def test_signature_of_another_app_is_refused(scene: Scene) -> None:
    scene.site.add_practice_app("slack-elsewhere", "Elsewhere")
    event = scene.slack.event("team_rename", name="Elsewhere")
    scene.slack.delivers(event)
    other = Sender(scene.site, scene.clock, "slack-elsewhere")
    assert scene.slack.sends(event, secret=other.secret).status_code == 401
    assert scene.slack.sends(event, secret="a-secret-of-nobody").status_code == 401


def test_old_request_cannot_be_replayed(scene: Scene) -> None:
    scene.clock.forward(seconds=-301)
    body = json.dumps(scene.slack.event("app_uninstalled")).encode()
    sent = scene.slack.sends(body)
    assert sent.status_code == 200
    scene.clock.forward(seconds=301)
    headers = {name: sent.request.headers[name] for name in ("X-Slack-Signature", "X-Slack-Request-Timestamp")}
    assert scene.slack.sends(body, **headers).status_code == 401


def test_body_may_have_a_megabyte(scene: Scene) -> None:
    event = scene.slack.event("message", text="x" * 900_000)
    assert scene.slack.sends(event).status_code == 200
    event = scene.slack.event("message", text="x" * 1_000_000)
    refused = scene.slack.sends(event)
    assert (refused.status_code, refused.headers["X-Slack-No-Retry"]) == (413, "1")


def test_slack_can_check_the_address(scene: Scene) -> None:
    answer = scene.slack.sends({"token": "x", "challenge": "3eZbrw1aB", "type": "url_verification"})
    assert (answer.status_code, answer.text) == (200, "3eZbrw1aB")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Set-Cookie" not in answer.headers


def test_previous_signing_secret_is_accepted_for_a_day(start_site: Any, clock: Any) -> None:
    site: Site = start_site()
    slack = Sender(site, clock)
    site.change_integration("slack-practice", signing_secret="0123456789abcdef")
    for secret in (slack.secret, "0123456789abcdef"):
        assert slack.sends(slack.event("message"), secret=secret).status_code == 200
    clock.forward(hours=24)
    assert slack.sends(slack.event("message")).status_code == 401
    assert slack.sends(slack.event("message"), secret="0123456789abcdef").status_code == 200


def test_uninstall_erases_the_token_and_keeps_the_connection(scene: Scene) -> None:
    identifier = connects(scene, "una")
    scene.site.slack.removes_app(scene.slack.client_id, ACME)
    event = scene.slack.event("app_uninstalled")
    scene.slack.delivers(event, event, event)
    found = shown(scene, identifier)
    assert found["auth"] == {"accessToken": "", "hasAccessToken": False}
    assert (found["status"], found["statusReason"], found["next"]) == ("disconnected", UNINSTALLED, ["reconnect"])
    by_slack = [entry for entry in audited(scene, identifier) if entry[0] == "slack"]
    assert by_slack == [("slack", "connection.disconnected", "app_uninstalled")]
    verified = scene.program.asks("POST", f"/v1/channel-connections/{identifier}/verify")
    assert (verified.status_code, verified.json()["status"]) == (200, "disconnected")
    assert identifier in scene.program.lists("status=disconnected")
    assert connects(scene, "una") == identifier
    assert shown(scene, identifier)["status"] == "healthy"


def test_api_create_revives_a_disconnected_connection(scene: Scene) -> None:
    identifier = connects(scene, "rae")
    scene.site.slack.removes_app(scene.slack.client_id, ACME)
    scene.slack.delivers(scene.slack.event("app_uninstalled"))
    given = {"integrationIdentifier": "slack-practice", "subscriberId": "rae"}
    refused = scene.program.creates(**given, identifier="another-one")
    assert (refused.status_code, refused.json()["code"]) == (409, "connection_exists")
    revived = scene.program.creates(**given)
    assert (revived.status_code, revived.json()["identifier"]) == (201, identifier)
    assert (revived.json()["status"], revived.json()["auth"]["accessToken"]) == ("unknown", "token-of-acme-hq")
    assert scene.program.creates(**given).status_code == 409


def test_disconnected_connection_does_not_hold_its_workspace(scene: Scene) -> None:
    scene.site.add_practice_app("slack-strict", "Strict", workspace_policy="refuse")
    strict = Sender(scene.site, scene.clock, "slack-strict")
    with BrowserClient(scene.site) as browser:
        browser.connects(scene.site.link("slack-strict", mode="subscriber", subscriber_id="first"))
        taken = browser.connects(scene.site.link("slack-strict", mode="subscriber", subscriber_id="second"))
        assert taken.outcome == "workspace_taken"
        scene.site.slack.removes_app(strict.client_id, ACME)
        strict.delivers(strict.event("app_uninstalled"))
        done = browser.connects(scene.site.link("slack-strict", mode="subscriber", subscriber_id="second"))
    assert done.outcome == "connected"


def test_revoked_tokens_end_only_the_connections_that_they_belong_to(scene: Scene) -> None:
    identifier = connects(scene, "tor")
    bot = shown(scene, identifier)["workspace"]["botUserId"]
    scene.slack.delivers(scene.slack.event("tokens_revoked", tokens={"oauth": ["U1"], "bot": ["U2"]}))
    assert shown(scene, identifier)["status"] == "healthy"
    scene.site.slack.removes_app(scene.slack.client_id, ACME)
    scene.slack.delivers(scene.slack.event("tokens_revoked", tokens={"oauth": [], "bot": [bot]}))
    assert shown(scene, identifier)["statusReason"] == "The app's access was revoked in Slack."


def test_event_that_comes_without_an_uninstall_changes_nothing(scene: Scene) -> None:
    identifier = connects(scene, "eve")
    scene.slack.delivers(scene.slack.event("app_uninstalled"))
    assert shown(scene, identifier)["status"] == "healthy"


def test_event_waits_while_slack_cannot_be_asked(scene: Scene) -> None:
    identifier = connects(scene, "wim")
    scene.site.slack.removes_app(scene.slack.client_id, ACME)
    scene.site.slack.fails("auth.test", "status_500", times=2)
    scene.slack.delivers(scene.slack.event("app_uninstalled"))
    assert shown(scene, identifier)["status"] == "healthy"
    for expected in ("healthy", "disconnected"):
        works(scene.site)
        assert shown(scene, identifier)["status"] == expected


def test_renamed_workspace_gets_its_newest_name(scene: Scene) -> None:
    identifier = connects(scene, "nan", "T0ACMETEST")
    earlier = scene.slack.event("team_rename", "T0ACMETEST", name="Acme 1")
    scene.clock.forward(seconds=2)
    scene.slack.delivers(scene.slack.event("team_rename", "T0ACMETEST", name="Umbra"), earlier)
    assert shown(scene, identifier)["workspace"]["name"] == "Umbra"
    assert scene.program.lists("search=umbra") == [identifier]
    scene.slack.delivers(scene.slack.event("team_domain_change", "T0ACMETEST", domain="acme-2", url="https://x"))
    scene.slack.delivers(scene.slack.event("team_domain_change", "T0ACMETEST", domain=7, name="No name"))
    renamed = [row for row in audited(scene, identifier) if row[1] == "connection.renamed"]
    assert renamed == [("slack", "connection.renamed", "name"), ("slack", "connection.renamed", "domain: acme-2")]


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
def test_host_learns_what_an_event_has_changed(kind: str, scene: Scene) -> None:
    identifier = connects(scene, "pia")
    before = shown(scene, identifier)["workspace"]
    with hook(scene, "connection.renamed", "connection.disconnected") as bodies:
        scene.slack.delivers(scene.slack.event("team_rename", name=f"Name of {kind}"))
        scene.slack.delivers(scene.slack.event("team_domain_change", domain="acme-3", url="https://x"))
        scene.site.slack.removes_app(scene.slack.client_id, ACME)
        bot = {"bot": [before["botUserId"]], "oauth": []}
        scene.slack.delivers(scene.slack.event(kind, tokens=bot))
    changes = [
        (sent["change"]["cause"], sent["change"].get("previous"))
        for body in bodies
        if (sent := json.loads(body)["data"])["connection"]["identifier"] == identifier
    ]
    assert changes == [
        ("name_changed", {"workspace": {"id": ACME, "name": before["name"]}}),
        ("domain_changed", None),
        (kind, {"status": "healthy"}),
    ]


def test_practice_slack_reports_an_uninstall(start_site: Any) -> None:
    site: Site = start_site(with_events=True)
    with BrowserClient(site) as browser:
        browser.signs_in("ada@northwind.test")
        browser.connects(site.link())
        (installation,) = site.slack.installations()
        site.slack.removes_app(installation.client_id, installation.workspace_id)
        assert site.slack.events.wait_until_sent()
        assert [one.status for one in site.slack.events.deliveries()] == [200, 200]
        works(site)
        page = browser.opens("/connections")
        assert "Disconnected" in page.text
        assert browser.connects(site.link()).outcome == "reconnected"
