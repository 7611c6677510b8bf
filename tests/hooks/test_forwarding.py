"""Events are delivered to a host's unmodified Bolt app as well, until it has accepted them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response, request
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import text

from tests.hooks.conftest import Scene
from tests.serving import served


@dataclass
class Host:
    """A Bolt app, and what it has received. It refuses as many requests as `refusals` says."""

    url: str = ""
    refusals: int = 0
    #: Headers of a refusal.
    refusal_headers: dict[str, str] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def app(self, signing_secret: str) -> Flask:
        bolt = App(signing_secret=signing_secret, authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1"))
        bolt.event("reaction_added")(lambda event: self.heard.append(event))
        handler, host = SlackRequestHandler(bolt), Flask("host")

        @host.post("/slack/events")
        def events() -> Response:
            self.requests.append((request.get_data(), dict(request.headers)))
            if self.refusals:
                self.refusals -= 1
                return Response(status=503, headers=self.refusal_headers)
            answer: Response = handler.handle(request)
            return answer

        return host


@pytest.fixture
def host(scene: Scene) -> Iterator[Host]:
    receiver = Host()
    with served(receiver.app(scene.slack.secret)) as origin:
        receiver.url = f"{origin}/slack/events"
        scene.site.change_integration("slack-practice", forward_events=receiver.url)
        yield receiver
    scene.site.change_integration("slack-practice", forward_events="")


def stored(scene: Scene) -> tuple[str, str, int, object]:
    """Return the newest event: its id, how its forwarding went, the number of failures and its body."""
    with scene.site.runtime.database.engine.connect() as connection:
        query = "SELECT id, forward_state, forward_failures, body FROM slack_events ORDER BY received_at DESC LIMIT 1"
        row = connection.execute(text(query)).one()
        return row.id, row.forward_state, row.forward_failures, row.body


def test_bolt_app_receives_the_event_as_slack_sent_it(scene: Scene, host: Host) -> None:
    answer = scene.slack.sends(scene.slack.event("reaction_added", reaction="tada"))
    assert (answer.status_code, host.requests) == (200, []), "Slack does not wait for the host"
    event_row_id, state, _, _ = stored(scene)
    for _ in range(2):
        scene.site.runtime.slack_events.forward(event_row_id, 0)
    (received,) = host.requests
    assert received[0] == answer.request.content
    for name in ("X-Slack-Signature", "X-Slack-Request-Timestamp"):
        assert received[1][name] == answer.request.headers[name]
    assert "X-Slack-Retry-Num" not in received[1]
    assert [event["reaction"] for event in host.heard] == ["tada"]
    assert (state, stored(scene)[1:]) == ("waiting", ("delivered", 0, None))


def test_refused_event_is_signed_again_and_says_so(scene: Scene, host: Host) -> None:
    host.refusals = 2
    scene.slack.sends(scene.slack.event("reaction_added", reaction="wave"))
    event_row_id = stored(scene)[0]
    scene.clock.forward(seconds=2)
    for failures in range(3):
        scene.site.runtime.slack_events.forward(event_row_id, failures)
    first, *later = (headers for _, headers in host.requests)
    assert [(one["X-Slack-Retry-Num"], one["X-Slack-Retry-Reason"]) for one in later] == [
        ("1", "http_error"),
        ("2", "http_error"),
    ]
    assert int(later[0]["X-Slack-Request-Timestamp"]) > int(first["X-Slack-Request-Timestamp"])
    assert [event["reaction"] for event in host.heard] == ["wave"]
    assert stored(scene)[1:] == ("delivered", 2, None)


def test_event_is_given_up_after_the_last_try(scene: Scene, host: Host) -> None:
    host.refusals = 100
    scene.slack.sends(scene.slack.event("reaction_added", reaction="x"))
    event_row_id = stored(scene)[0]
    for failures in range(12):
        scene.site.runtime.slack_events.forward(event_row_id, failures)
    assert len(host.requests) == 9
    assert stored(scene)[1:] == ("given_up", 9, None)


def test_host_can_refuse_further_tries_as_slack_allows(scene: Scene, host: Host) -> None:
    host.refusals, host.refusal_headers = 1, {"X-Slack-No-Retry": "1"}
    scene.slack.sends(scene.slack.event("reaction_added", reaction="x"))
    event_row_id = stored(scene)[0]
    for failures in range(2):
        scene.site.runtime.slack_events.forward(event_row_id, failures)
    assert (len(host.requests), stored(scene)[1:]) == (1, ("given_up", 1, None))


def test_event_that_changes_a_connection_is_forwarded_as_well(scene: Scene, host: Host) -> None:
    scene.slack.delivers(scene.slack.event("team_rename", "TNOWHERE", name="Acme"))
    event_row_id, state, _, body = stored(scene)
    assert (state, body is not None) == ("waiting", True), "handling keeps what forwarding needs"
    scene.site.runtime.slack_events.forward(event_row_id, 0)
    assert len(host.requests) == 1
    # Bolt answers 404, because this app does not listen to the type.
    assert stored(scene)[1:] == ("delivered", 0, None)


@pytest.mark.parametrize("url", ["http://bot.example.com/events", "bot.example.com", "https://user@bot.example.com/"])
def test_address_for_events_is_checked(url: str, scene: Scene) -> None:
    with pytest.raises(Exception, match="The address for events"):
        scene.site.change_integration("slack-practice", forward_events=url)
