"""A stored secret that cannot be decrypted, because it is damaged, was moved or its key is lost, hides nothing else."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.api.conftest import Program, connection
from tests.browser_client import BrowserClient, Site
from tests.database_rounds import DATABASE
from tests.pages.test_clean_addresses import stopped_elsewhere
from tests.pages.test_reconnect import details
from tests.pages.test_setup import reaches_setup
from tests.webhooks.receiver import receiving

LIST = "/v1/channel-connections"
ENDPOINTS = "/v1/channel-endpoints"
WEBHOOKS = "/v1/webhook-endpoints"


def damage(site: Site, table: str, column: str, where: str = "1 = 1") -> None:
    """Replace a sealed value."""
    with site.runtime.database.transaction() as session:
        query = f"UPDATE {table} SET {column} = :junk WHERE {where}"  # noqa: S608  # names of ours
        session.execute(text(query), {"junk": b"0" * 60})


@pytest.fixture
def damaged(site: Site, program: Program, how: str) -> str:
    """The identifier of a connection whose token is unreadable, beside one whose token is not."""
    spoiled, whole = (str(program.creates(subscriberId=name).json()["identifier"]) for name in ("ada", "bea"))
    find = "SELECT installation_id FROM channel_connections WHERE identifier = :name"
    with site.runtime.database.transaction() as session:
        ids = [session.scalar(text(find), {"name": name}) for name in (spoiled, whole)]
        other = session.scalar(text("SELECT access_token FROM installations WHERE id = :id"), {"id": ids[1]})
        junk = "text" if how == "text" else how.encode("latin-1") * 60
        value = bytes(other) if how == "moved" else junk
        session.execute(text("UPDATE installations SET access_token = :x WHERE id = :id"), {"x": value, "id": ids[0]})
    return spoiled


@pytest.mark.parametrize("how", ["0", "\xff", "moved", "", *(["text"] if DATABASE == "sqlite" else [])])
def test_row_needs_reconnect_and_others_stay(program: Program, operator: BrowserClient, damaged: str) -> None:
    with capture_logs() as logs:
        listed = program.asks("GET", LIST)
    assert listed.status_code == 200, listed.text
    rows = {row["identifier"]: row for row in listed.json()["data"]}
    assert len(rows) == 2
    unreadable = [one for one in logs if one["event"] == "connection.token_unreadable"]
    assert [one["connection"] for one in unreadable] == [damaged]
    for row in (rows.pop(damaged), program.asks("GET", f"{LIST}/{damaged}").json()):
        assert row["auth"] == {"accessToken": "", "hasAccessToken": False}
        assert row["status"] == "needs_reconnect"
        assert "cannot be decrypted" in row["statusReason"]
    (whole,) = rows.values()
    assert whole["auth"]["accessToken"]
    assert whole["status"] != "needs_reconnect"
    verified = program.asks("POST", f"{LIST}/{damaged}/verify")
    assert (verified.status_code, verified.json()["status"]) == (200, "needs_reconnect")

    assert operator.opens("/connections").status == 200
    assert "Needs reconnect" in operator.opens("/connections").text
    page = operator.opens(f"/connections/{damaged}")
    assert "The connection no longer works. The stored token cannot be decrypted" in page.words
    # Nobody asked Slack.
    assert "Slack no longer accepts" not in page.words


@pytest.mark.parametrize("how", ["0"])
def test_key_without_the_scope_learns_the_same(site: Site, damaged: str) -> None:
    blind = Program(site, site.api_key("blind", "Development", ("connections:read",), None))
    row = blind.asks("GET", f"{LIST}/{damaged}").json()
    assert (row["auth"], row["status"]) == ({"accessToken": "", "hasAccessToken": False}, "needs_reconnect")


@pytest.mark.parametrize(
    ("kind", "target", "empty"),
    [
        ("webhook", {"url": "https://hooks.example/x", "channel": "#ops"}, {"url": ""}),
        ("slack_channel", {"channelId": "C1"}, {"channelId": ""}),
        ("slack_user", {"userId": "U1"}, {"userId": ""}),
    ],
)
def test_channel_endpoint_is_empty_and_others_stay(
    kind: str, target: dict[str, str], empty: dict[str, str], site: Site, program: Program
) -> None:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": kind, "endpoint": target}
    for name in ("whole", "damaged"):
        assert program.asks("POST", ENDPOINTS, {**body, "identifier": name}).status_code == 201
    damage(site, "channel_endpoints", "endpoint", "identifier = 'damaged'")
    with capture_logs() as logs:
        listed = {one["identifier"]: one["endpoint"] for one in program.asks("GET", ENDPOINTS).json()["data"]}
    assert listed == {"whole": target, "damaged": empty}
    assert [one["endpoint"] for one in logs if one["event"] == "endpoint.unreadable"] == ["damaged"]
    assert program.asks("GET", f"{ENDPOINTS}/damaged").json()["endpoint"] == empty
    assert program.asks("PATCH", f"{ENDPOINTS}/damaged", {"endpoint": target}).json()["endpoint"] == target
    damage(site, "channel_endpoints", "endpoint")
    assert program.asks("DELETE", f"{ENDPOINTS}/damaged").status_code == 204


def test_verify_asks_slack_without_the_client_secret_unless_the_token_rotates(
    site: Site, program: Program, operator: BrowserClient
) -> None:
    operator.connects(site.link("slack-prod", subscriber_id="bea"))
    operator.connects(site.link("slack-prod", subscriber_id="cy"), "T0ACMETEST", scenario="rotation")
    names = {one.connection.subscriber_id: one.connection.identifier for one in details(site)}
    damage(site, "integrations", "client_secret")
    assert program.asks("POST", f"{LIST}/{names['bea']}/verify").json()["status"] == "healthy"
    refused = program.asks("POST", f"{LIST}/{names['cy']}/verify")
    assert (refused.status_code, refused.json()["code"]) == (503, "sealed_value_unreadable")
    assert "slack-prod" in refused.json()["message"]
    page = operator.presses(operator.opens(f"/connections/{names['cy']}"), "verify")
    assert page.status == 200
    assert "client secret of the Slack app cannot be decrypted" in page.text


def test_unreadable_refresh_token_needs_a_reconnect(site: Site, visitor: BrowserClient, program: Program) -> None:
    visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario="rotation")
    (name,) = program.lists()
    damage(site, "installations", "refresh_token")
    for _ in range(2):
        verified = program.asks("POST", f"{LIST}/{name}/verify")
        assert (verified.status_code, verified.json()["status"]) == (200, "needs_reconnect")
        assert "refresh token cannot be decrypted" in verified.json()["statusReason"]
    assert program.lists("status=needs_reconnect") == [name]
    assert visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario="rotation").outcome == "reconnected"
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "healthy"


@pytest.mark.parametrize("column", ["access_token", "refresh_token"])
def test_pair_that_another_connection_shares_is_accepted(column: str, site: Site, program: Program) -> None:
    pair = {"accessToken": "a-token", "refreshToken": "a-refresh-token"}
    program.creates(identifier="one", auth=pair)
    damage(site, "installations", column)
    assert program.creates(identifier="two", subscriberId="bea", auth=pair).status_code == 201
    row = program.asks("GET", f"{LIST}/one").json()
    assert row["auth"]["accessToken"] == "a-token", "the pair that was sent again repairs the first connection"


def test_connect_ends_before_slack_if_the_client_secret_is_unreadable(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    stopped = stopped_elsewhere(site, visitor, link)
    damage(site, "integrations", "client_secret")
    page = visitor.presses(visitor.opens(link), "connect")
    assert (page.outcome, page.status) == ("config_error", 500)
    assert page.main.get("data-reference")
    assert "ENCRYPTION_KEYS" not in page.text
    with BrowserClient(site) as other:
        elsewhere = other.presses(other.opens(stopped.url), "try-again")
        assert elsewhere.outcome == "config_error"
        assert link.rpartition("/")[2] not in elsewhere.text
    with BrowserClient(site) as person:
        person.signs_in("ada@northwind.test")
        seen = person.presses(person.opens("/slack/install"), "connect")
        assert seen.outcome == "config_error"
        assert "ENCRYPTION_KEYS lacks its key" in seen.text
        assert person.presses(person.opens("/slack/install"), "ask-admin").outcome == "awaiting_approval"


@pytest.mark.parametrize("action", ["save", "replace"])
def test_waiting_grant_that_is_unreadable_ends_the_install(action: str, site: Site, operator: BrowserClient) -> None:
    chosen = {"connection_mode": "subscriber", "subscriber_id": "bea"}
    page = reaches_setup(operator)
    if action == "replace":
        assert operator.presses(page, "save", **chosen).outcome == "connected"
        page = operator.presses(reaches_setup(operator, "T0ACMETEST"), "save", **chosen)
    damage(site, "attempts", "waiting_grant", "stage = 'waiting'")
    ended = operator.presses(page, action, **(chosen if action == "save" else {}))
    assert (ended.outcome, ended.status) == ("config_error", 500)
    assert "Slack did not confirm" in ended.text


def test_unreadable_response_to_repeat_is_a_documented_error(site: Site, program: Program) -> None:
    assert program.asks("POST", LIST, connection(), Idempotency_Key="k").status_code == 201
    damage(site, "answers", "body")
    for body in (connection(), connection(subscriberId="cy")):
        again = program.asks("POST", LIST, body, Idempotency_Key="k")
        assert (again.status_code, again.json()["code"]) == (503, "sealed_value_unreadable")
    assert len(program.lists()) == 1


def test_unreadable_secret_of_a_webhook_is_replaced_by_a_new_one(site: Site, program: Program) -> None:
    with receiving() as receiver:
        name = program.asks("POST", WEBHOOKS, {"url": receiver.url}).json()["id"]
        damage(site, "webhook_endpoints", "secret")
        rotated = program.asks("POST", f"{WEBHOOKS}/{name}/rotate-secret")
        assert rotated.status_code == 200, rotated.text
        delivery = program.asks("POST", f"{WEBHOOKS}/{name}/test").json()["id"]
        site.runtime.webhooks.delivering.deliver(delivery, 1)
        receiver.got[0].verify(rotated.json()["secret"])


def test_unreadable_previous_secret_of_a_webhook_stops_no_delivery(site: Site, program: Program) -> None:
    with receiving() as receiver:
        name = program.asks("POST", WEBHOOKS, {"url": receiver.url}).json()["id"]
        rotated = program.asks("POST", f"{WEBHOOKS}/{name}/rotate-secret").json()
        damage(site, "webhook_endpoints", "previous_secret")
        delivery = program.asks("POST", f"{WEBHOOKS}/{name}/test").json()["id"]
        site.runtime.webhooks.delivering.deliver(delivery, 1)
        receiver.got[0].verify(rotated["secret"])
