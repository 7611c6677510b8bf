"""Every request to /slack/events gets a documented response, and an accepted event never stays in the queue.

Hypothesis generates the events: the same ones in every run.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from onboarding.slack import event_names
from tests.examples import examples
from tests.hooks.conftest import Scene
from tests.hooks.sender import ACME, works
from tests.hooks.test_slack_events import connects, shown
from tests.practice.walk import DESIGN, GROUP

#: As docs/slack-events.md lists them; 503 is for a database that does not answer.
DOCUMENTED = {200, 401, 413}
IDS = st.sampled_from([ACME, DESIGN, GROUP, "C0SALES001", "U1", "", "x" * 101, "é", "T\x00"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | IDS
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | IDS, inner, max_size=4),
    max_leaves=8,
)
#: The members that the product reads, by the type of the event, each as Slack sends it.
MEMBERS: dict[str, dict[str, Any]] = {
    "app_uninstalled": {},
    "tokens_revoked": {"tokens": {"oauth": ["U1"], "bot": ["U2"]}},
    "team_access_granted": {"team_ids": [ACME, DESIGN]},
    "team_access_revoked": {"team_ids": [ACME, DESIGN]},
    "team_rename": {"name": "Acme"},
    "team_domain_change": {"domain": "acme", "url": "https://acme.slack.com"},
    "channel_id_changed": {"old_channel_id": "G0OLD00001", "new_channel_id": "C0SALES001"},
    **{kind: {"channel": {"id": "C0SALES001", "name": "sales"}} for kind in sorted(event_names.CHANNEL_RENAMES)},
    **{kind: {"channel": "C0SALES001"} for kind in sorted(event_names.CHANNEL_STATUSES)},
    "message": {"channel": "C0SALES001", "text": "hello"},
}
ENVELOPE = ("type", "team_id", "enterprise_id", "api_app_id", "event", "event_id", "event_time", "authorizations")


@st.composite
def odd_events(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event of a known type with odd values of the members that count, and odd members of its envelope."""
    kind = draw(st.sampled_from(sorted(MEMBERS)))
    members = {name: draw(st.just(usual) | values) for name, usual in MEMBERS[kind].items()}
    parts = st.dictionaries(st.sampled_from(["id", "name", "oauth", "bot"]), values, max_size=2)
    members = {name: {**one, **draw(parts)} if isinstance(one, dict) else one for name, one in members.items()}
    envelope = draw(st.just({}) | st.dictionaries(st.sampled_from(ENVELOPE), values, max_size=2))
    return {"type": kind, **members}, envelope


def bounded(usual: int) -> settings:
    return settings(
        max_examples=examples(usual), deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@pytest.fixture(scope="module")
def connected(scene: Scene) -> str:
    """Connect a workspace that has an endpoint, so that events have something to change, and return the connection."""
    identifier = connects(scene, "fuzz")
    body = {
        "integrationIdentifier": "slack-practice",
        "subscriberId": "fuzz",
        "type": "slack_channel",
        "endpoint": {"channelId": "C0SALES001"},
        "connectionIdentifier": identifier,
    }
    assert scene.program.asks("POST", "/v1/channel-endpoints", body).status_code == 201
    return identifier


def unhandled(scene: Scene) -> list[Any]:
    with scene.site.runtime.database.engine.connect() as connection:
        return list(connection.scalars(text("SELECT type FROM slack_events WHERE handled_at IS NULL")))


@given(odd_events())
@bounded(70)
def test_member_of_a_wrong_type_is_refused_or_handled(
    scene: Scene, connected: str, odd: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    event, envelope = odd
    sent = {**scene.slack.event("message"), "event": event, **envelope}
    # Slack sends no bytes that are not UTF-8, and no numbers that are not JSON; both are tried here as well.
    body = json.dumps(sent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    answer = scene.slack.sends(body)
    assert answer.status_code in DOCUMENTED, (answer.status_code, body)
    works(scene.site)
    assert unhandled(scene) == [], body
    # The app is still in the workspace, so no event may end the access.
    assert shown(scene, connected)["status"] == "healthy", body


@given(st.data())
@bounded(40)
def test_damaged_request_gets_a_documented_answer(scene: Scene, data: st.DataObject) -> None:
    """Truncated, wrongly encoded, too large, nested too deeply, or garbage: with a valid signature, and without one."""
    whole = json.dumps(scene.slack.event("app_uninstalled")).encode()
    body = data.draw(
        st.integers(0, len(whole)).map(lambda end: whole[:end])
        | st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "cp500"]).map(lambda code: whole.decode().encode(code))
        | st.integers(1, 200_000).map(lambda depth: b'{"event":' * depth)
        | st.integers(1, 200_000).map(lambda depth: b"[" * depth + b"]" * depth)
        | st.integers(0, 1_200_000).map(lambda size: whole[:-1] + b" " * size + b"}")
        | st.binary(max_size=200)
        | st.just(b"payload=" + whole)
    )
    header = st.binary(max_size=80).map(lambda raw: bytes(one for one in raw if one > 0x20 and one != 0x7F))
    names = ("X_Slack_Signature", "X_Slack_Request_Timestamp", "Content_Type", "Content_Encoding", "X_Slack_Retry_Num")
    headers: Any = data.draw(st.dictionaries(st.sampled_from(names), header, max_size=2))
    answer = scene.slack.sends(body, **headers)
    assert answer.status_code in DOCUMENTED, (answer.status_code, body[:300], headers)
    # Slack need not repeat what will be refused again.
    assert answer.headers.get("X-Slack-No-Retry") == ("1" if answer.status_code == 413 else None)
    works(scene.site)
    assert unhandled(scene) == []
