"""A stored channel endpoint follows its channel in Slack: its status, its id, and the name that a webhook has."""

from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.practice import admins
from tests.browser_client import BrowserClient, Site
from tests.hooks.conftest import Scene
from tests.hooks.sender import ACME, works
from tests.hooks.test_slack_events import audited, connects

ENDPOINTS = "/v1/channel-endpoints"
CHANNEL = "C0SALES001"


class Endpoints:
    """A connected workspace, and the channel endpoints of its connection."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.program = scene, scene.program
        self.connection = connects(scene, "chan")

    def adds(self, channel: str = CHANNEL, **members: Any) -> str:
        """Create an endpoint, and return its identifier."""
        body = {
            "integrationIdentifier": "slack-practice",
            "subscriberId": "chan",
            "type": "slack_channel",
            "endpoint": {"channelId": channel},
            "connectionIdentifier": self.connection,
            **members,
        }
        given = {name: value for name, value in body.items() if value is not None}
        answer = self.program.asks("POST", ENDPOINTS, given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["identifier"])

    def shows(self, identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = self.program.asks("GET", f"{ENDPOINTS}/{identifier}").json()
        return found

    def status(self, identifier: str) -> str:
        return str(self.shows(identifier)["status"])

    def hears(self, *events: dict[str, Any]) -> None:
        self.scene.slack.delivers(*events)


@pytest.fixture
def endpoints(scene: Scene) -> Iterator[Endpoints]:
    made = Endpoints(scene)
    yield made
    for one in made.program.asks("GET", f"{ENDPOINTS}?limit=100").json()["data"]:
        made.program.asks("DELETE", f"{ENDPOINTS}/{one['identifier']}")


@pytest.mark.parametrize("kind", ["channel", "group"])
def test_endpoint_says_that_its_channel_is_archived_or_deleted(kind: str, scene: Scene, endpoints: Endpoints) -> None:
    mine, other = endpoints.adds(), endpoints.adds("C0OTHER001")
    before = endpoints.shows(mine)
    assert before["status"] == "active"
    for suffix, status in (("archive", "archived"), ("unarchive", "active"), ("deleted", "deleted")):
        scene.clock.forward(seconds=2)
        endpoints.hears(scene.slack.event(f"{kind}_{suffix}", channel=CHANNEL, user="U1"))
        assert (endpoints.status(mine), endpoints.status(other)) == (status, "active")
    assert endpoints.shows(mine)["endpoint"] == {"channelId": CHANNEL}
    assert endpoints.shows(mine)["updatedAt"] > before["updatedAt"]
    recorded = [entry for entry in audited(scene, endpoints.connection) if entry[1] == "connection.channel_changed"]
    assert recorded[-3:] == [
        ("slack", "connection.channel_changed", f"{CHANNEL} {status}") for status in ("archived", "active", "deleted")
    ]


def test_late_event_does_not_undo_a_newer_one(scene: Scene, endpoints: Endpoints) -> None:
    mine = endpoints.adds()
    sent = []
    for kind in ("channel_archive", "channel_unarchive", "channel_archive", "channel_unarchive"):
        scene.clock.forward(seconds=2)
        sent.append(scene.slack.event(kind, channel=CHANNEL, user="U1"))
    endpoints.hears(sent[1], sent[3], sent[2], sent[0])
    assert endpoints.status(mine) == "active"


def test_only_endpoints_of_connections_in_the_workspace_are_changed(scene: Scene, endpoints: Endpoints) -> None:
    elsewhere = connects(scene, "elsewhere", "T0ACMETEST")
    other = endpoints.adds(connectionIdentifier=elsewhere, subscriberId="elsewhere")
    free = endpoints.adds(connectionIdentifier=None)
    user = endpoints.adds(type="slack_user", endpoint={"userId": CHANNEL})
    endpoints.hears(scene.slack.event("channel_deleted", ACME, channel=CHANNEL))
    assert [endpoints.status(one) for one in (other, free, user)] == ["active"] * 3


def test_new_target_is_active_again(scene: Scene, endpoints: Endpoints) -> None:
    mine = endpoints.adds()
    endpoints.hears(scene.slack.event("channel_archive", channel=CHANNEL, user="U1"))
    changed = endpoints.program.asks("PATCH", f"{ENDPOINTS}/{mine}", {"endpoint": {"channelId": "C0NEXT0001"}})
    assert (changed.status_code, changed.json()["status"]) == (200, "active")
    endpoints.hears(scene.slack.event("channel_deleted", channel=CHANNEL))
    assert endpoints.status(mine) == "active"
    endpoints.hears(scene.slack.event("channel_deleted", channel="C0NEXT0001"))
    assert endpoints.status(mine) == "deleted"


def test_endpoint_gets_the_new_id_of_a_channel_that_is_shared(scene: Scene, endpoints: Endpoints) -> None:
    mine = endpoints.adds("G0PRIVATE1")
    moved: dict[str, Any] = {"old_channel_id": "G0PRIVATE1", "new_channel_id": "C0SHARED01"}
    endpoints.hears(scene.slack.event("channel_id_changed", **moved))
    assert endpoints.shows(mine)["endpoint"] == {"channelId": "C0SHARED01"}
    endpoints.hears(scene.slack.event("channel_archive", channel="C0SHARED01", user="U1"))
    assert endpoints.status(mine) == "archived"


def test_webhook_of_an_install_follows_the_name_of_its_channel(scene: Scene) -> None:
    scene.site.add_practice_app("slack-hook", "Hooks")
    scene.site.change_integration("slack-hook", scopes=("chat:write", "incoming-webhook"))
    slack = type(scene.slack)(scene.site, scene.clock, "slack-hook")
    with BrowserClient(scene.site) as person:
        start = person.opens(scene.site.link("slack-hook", mode="subscriber", subscriber_id="hook"))
        consent = person.presses(start, "connect")
        assert person.presses(consent, "allow", channel="sales", workspace=ACME).outcome == "connected"
    (one,) = scene.program.asks("GET", f"{ENDPOINTS}?subscriberId=hook").json()["data"]
    assert one["endpoint"]["channel"] == "#sales"
    [channel_id] = [known.id for known in scene.site.slack.workspaces[ACME].channels if known.name == "sales"]
    older = slack.event("channel_rename", channel={"id": channel_id, "name": "sales-1", "created": 1})
    scene.clock.forward(seconds=2)
    newer = slack.event("channel_rename", channel={"id": channel_id, "name": "revenue", "created": 1})
    slack.delivers(newer, older)
    renamed = scene.program.asks("GET", f"{ENDPOINTS}/{one['identifier']}").json()
    assert renamed["endpoint"] == {**one["endpoint"], "channel": "#revenue"}
    slack.delivers(slack.event("channel_archive", channel=channel_id, user="U1"))
    assert scene.program.asks("GET", f"{ENDPOINTS}/{one['identifier']}").json()["status"] == "archived"


def test_host_learns_of_it_without_the_name_of_the_channel(scene: Scene, endpoints: Endpoints) -> None:
    hook = {"url": "http://127.0.0.1:9/hook", "events": ["connection.channel_changed"]}
    created = endpoints.program.asks("POST", "/v1/webhook-endpoints", hook).json()
    mine = endpoints.adds()
    endpoints.hears(
        scene.slack.event("group_archive", channel=CHANNEL, user="U1"),
        scene.slack.event("group_rename", channel={"id": CHANNEL, "name": "secret-plans", "created": 1}),
    )
    listed = endpoints.program.asks("GET", f"/v1/webhook-deliveries?endpointId={created['id']}").json()["data"]
    endpoints.program.asks("DELETE", f"/v1/webhook-endpoints/{created['id']}")
    (one,) = listed
    assert (one["event"], one["subject"]) == ("connection.channel_changed", endpoints.connection)
    for part in (
        f'"endpoint":{{"identifier":"{mine}","type":"slack_channel","status":"archived","channelId":"{CHANNEL}"}}',
        '"change":{"actor":"slack","cause":"group_archive","previous":{"endpoint":{"status":"active"}}}',
        '"next":["choose_channel"]',
    ):
        assert part in one["body"], one["body"]


def test_practice_slack_reports_changes_of_channels(start_site: Any) -> None:
    site: Site = start_site(with_events=True)
    with BrowserClient(site) as browser:
        browser.connects(site.link(), ACME)
    key = {"Authorization": f"ApiKey {site.api_key('program')}"}
    with BrowserClient(site, headers=key) as program:
        [connection] = program.asks("GET", "/v1/channel-connections").json()["data"]
        [sales] = [one for one in site.slack.workspaces[ACME].channels if one.name == "sales"]
        made = program.asks(
            "POST",
            ENDPOINTS,
            json={
                "integrationIdentifier": "slack-practice",
                "subscriberId": "bea",
                "type": "slack_channel",
                "endpoint": {"channelId": sales.id},
                "connectionIdentifier": connection["identifier"],
            },
        ).json()
        for action, status in (("archive", "archived"), ("unarchive", "active"), ("delete", "deleted")):
            assert admins.change_channel(site.slack, ACME, "sales", action)
            assert site.slack.events.wait_until_sent()
            works(site)
            assert program.asks("GET", f"{ENDPOINTS}/{made['identifier']}").json()["status"] == status
