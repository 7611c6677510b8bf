"""Channel endpoints that an install creates: Slack's incoming webhook, and the Slack user who installs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.errors import Refused
from onboarding.services.integrations.records import IntegrationChange
from tests.api.conftest import Program
from tests.api.test_install_urls import ADDRESS, LIST, asks
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.pages.test_approval import link_for_admin

ENDPOINTS = "/v1/channel-endpoints"
SCOPES = ["chat:write", "incoming-webhook"]
NO_SUBSCRIBER = "subscriberId is required for incoming webhook"


def endpoints(program: Program, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = program.asks("GET", f"{ENDPOINTS}?limit=100&{query}").json()["data"]
    return found


def set_scopes(site: Site, *scopes: str, integration: str = "slack-prod") -> None:
    """Let the integration ask for these scopes."""
    environment_id = site.runtime.environments.first().id
    site.runtime.integrations.change(environment_id, integration, IntegrationChange(scopes=scopes), SHELL)


def allows(browser: BrowserClient, consent: Page, channel: str) -> Page:
    return browser.presses(consent, "allow", channel=channel)


def test_webhook_becomes_an_endpoint_of_the_connection(site: Site, visitor: BrowserClient, program: Program) -> None:
    url = asks(program, scope=SCOPES, connectionIdentifier="of-bea", context={"tenant": "acme"})
    consent = visitor.presses(visitor.opens(url), "connect")
    assert allows(visitor, consent, "sales").outcome == "connected"
    (one,) = endpoints(program)
    assert (one["type"], one["connectionIdentifier"], one["subscriberId"]) == ("webhook", "of-bea", "bea")
    assert (one["integrationIdentifier"], one["contextKeys"]) == ("slack-prod", ["tenant:acme"])
    assert one["endpoint"]["channel"] == "#sales"
    assert program.client.post(one["endpoint"]["url"], json={"text": "hello"}).text == "ok"
    assert program.asks("GET", f"{ENDPOINTS}/{one['identifier']}").json() == one
    with site.runtime.database.reading() as session:
        stored = bytes(session.scalar(text("SELECT endpoint FROM channel_endpoints")))
    assert b"services/" not in stored
    assert b"sales" not in stored
    written = entries(site.runtime.database)
    created = [entry for entry in written if entry.action == "endpoint.created"]
    assert [(entry.subject, entry.actor.partition(":")[0]) for entry in created] == [(one["identifier"], "link")]
    assert "services/" not in str(written)


def test_reconnect_replaces_the_webhook(visitor: BrowserClient, program: Program) -> None:
    found = []
    for channel in ("sales", "support"):
        start = visitor.opens(asks(program, scope=SCOPES))
        allows(visitor, visitor.presses(start, "connect"), channel)
        found += endpoints(program)
    first, second = found
    assert (second["identifier"], second["createdAt"]) == (first["identifier"], first["createdAt"])
    assert second["updatedAt"] > first["updatedAt"]
    assert second["endpoint"]["channel"] == "#support"
    assert second["endpoint"]["url"] != first["endpoint"]["url"]


def test_concurrent_installs_of_one_customer_keep_one_webhook_and_one_user(site: Site, program: Program) -> None:
    urls = [asks(program, scope=SCOPES, autoLinkUser=True) for _ in range(4)]

    def connects(url: str) -> str | None:
        with BrowserClient(site) as person:
            return person.connects(url).outcome

    with ThreadPoolExecutor(4) as crowd:
        assert set(crowd.map(connects, urls)) == {"connected", "reconnected"}
    assert sorted(one["type"] for one in endpoints(program)) == ["slack_user", "webhook"]


def test_reconnect_without_a_webhook_keeps_the_known_one(visitor: BrowserClient, program: Program) -> None:
    visitor.connects(asks(program, scope=SCOPES))
    known = endpoints(program)
    again = visitor.presses(visitor.opens(asks(program)), "connect")
    assert visitor.allows(again).outcome == "reconnected"
    assert endpoints(program) == known


@pytest.mark.parametrize("scopes", [SCOPES, ["chat:write"]], ids=["with a webhook", "without one"])
def test_another_workspace_leaves_no_webhook_of_the_old_one(
    scopes: list[str], visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(asks(program, scope=SCOPES, autoLinkUser=True))
    old = {one["type"]: one for one in endpoints(program)}
    page = visitor.opens(asks(program, scope=scopes))
    done = visitor.allows(visitor.presses(page, "connect", intent="other_workspace"), workspace="T0ACMETEST")
    assert done.heading == "Acme Test is connected"
    kept = endpoints(program)
    assert [one["type"] for one in kept] == ["webhook"] * ("incoming-webhook" in scopes)
    assert [one for one in kept if one["endpoint"]["url"] == old["webhook"]["endpoint"]["url"]] == []


def test_webhook_of_a_host_is_left_alone(visitor: BrowserClient, program: Program) -> None:
    visitor.connects(asks(program, scope=SCOPES, connectionIdentifier="of-bea"))
    own = {
        "identifier": "own",
        "integrationIdentifier": "slack-prod",
        "subscriberId": "bea",
        "connectionIdentifier": "of-bea",
        "type": "webhook",
        "endpoint": {"url": "https://hooks.slack.com/services/own"},
    }
    assert program.asks("POST", ENDPOINTS, own).status_code == 201
    start = visitor.opens(asks(program, scope=SCOPES))
    visitor.allows(visitor.presses(start, "connect"))
    assert len(endpoints(program)) == 2
    assert program.asks("GET", f"{ENDPOINTS}/own").json()["endpoint"] == own["endpoint"]


def test_webhook_waits_sealed_for_the_set_up_page(site: Site, visitor: BrowserClient, program: Program) -> None:
    set_scopes(site, *SCOPES)
    link = site.link("slack-prod", subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    setup = allows(visitor, visitor.presses(visitor.opens(link), "connect"), "sales")
    assert (setup.name, endpoints(program)) == ("setup", [])
    assert {one.get("name") for one in setup.root.iter("input")} - {"csrf_token"} == {"offered_context"}
    with site.runtime.database.reading() as session:
        stored = bytes(session.scalar(text("SELECT waiting_grant FROM attempts")))
    assert b"services/" not in stored
    assert visitor.presses(setup, "save", offered_context="team:b").outcome == "connected"
    (one,) = endpoints(program)
    assert (one["subscriberId"], one["contextKeys"], one["endpoint"]["channel"]) == ("bea", ["team:b"], "#sales")


def test_operator_chooses_a_subscriber_for_the_webhook(site: Site, operator: BrowserClient, program: Program) -> None:
    set_scopes(site, *SCOPES)
    start = operator.opens("/slack/install?integration=slack-prod")
    setup = operator.allows(operator.presses(start, "connect"))
    assert not any(one.get("name") == "connection_mode" for one in setup.root.iter("input"))
    refused = operator.presses(
        setup, "save", connection_mode="shared", **{"contexts-0-type": "t", "contexts-0-id": "1"}
    )
    assert (refused.name, refused.status) == ("setup", 422)
    assert operator.presses(setup, "save", subscriber_id="cy").outcome == "connected"
    assert [one["subscriberId"] for one in endpoints(program)] == ["cy"]


@pytest.fixture(scope="module")
def hooks(standing: Program) -> Program:
    """Return the standing caller. Its integration `hooks` asks for an incoming webhook."""
    standing.site.add_practice_app("hooks", "Hooks", "Development")
    set_scopes(standing.site, *SCOPES, integration="hooks")
    return standing


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"context": {"tenant": "acme"}},
        {"context": {"tenant": "acme"}, "connectionMode": "shared"},
        {"context": {"tenant": "acme"}, "connectionMode": "shared", "subscriberId": "bea"},
        {"connectionMode": "subscriber"},
    ],
    ids=lambda members: "+".join(members) or "nothing",
)
def test_request_for_a_webhook_needs_a_subscriber(members: dict[str, Any], hooks: Program) -> None:
    for address in (ADDRESS, "/v1/integrations/chat/oauth"):
        for asked in ({"integrationIdentifier": "slack-prod", "scope": SCOPES}, {"integrationIdentifier": "hooks"}):
            answer = hooks.asks("POST", address, {**asked, **members})
            assert (answer.status_code, answer.json()["message"]) == (400, NO_SUBSCRIBER)


@pytest.mark.parametrize(
    "fixed",
    [
        {"context_keys": ("tenant:acme",)},
        {"subscriber_id": "bea", "mode": "shared", "context_keys": ("tenant:acme",)},
        {"offered_context_keys": ("tenant:acme", "tenant:b")},
        {"is_open": True, "mode": "shared"},
    ],
    ids=lambda fixed: "+".join(fixed),
)
def test_link_for_a_webhook_needs_a_subscriber(fixed: dict[str, Any], hooks: Program) -> None:
    with pytest.raises(Refused, match="incoming-webhook, which requires a subscriber"):
        hooks.site.link("hooks", **fixed)


def test_link_with_subscriber_and_context_asks_no_question(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    set_scopes(site, *SCOPES)
    page = visitor.connects(site.link("slack-prod", subscriber_id="bea", context_keys=("tenant:acme",)))
    assert page.outcome == "connected"
    assert [one["contextKeys"] for one in endpoints(program)] == [["tenant:acme"]]


def test_holder_of_an_open_link_names_a_subscriber(site: Site, visitor: BrowserClient, program: Program) -> None:
    set_scopes(site, *SCOPES)
    setup = visitor.connects(site.link("slack-prod", is_open=True))
    assert visitor.presses(setup, "save", subscriber_id="dan").outcome == "connected"
    assert [one["subscriberId"] for one in endpoints(program)] == ["dan"]


def test_shared_connection_stays_usable_when_the_integration_asks_for_webhooks(
    site: Site, operator: BrowserClient, program: Program
) -> None:
    """Links that exist, and reconnects, ask for the integration's other scopes."""
    shared: dict[str, Any] = {"mode": "shared", "context_keys": ("tenant:acme",)}
    set_scopes(site, "chat:write")
    first, second = (site.link("slack-prod", **shared) for _ in range(2))
    operator.connects(first)
    set_scopes(site, *SCOPES)
    (name,) = program.lists()
    again = operator.presses(operator.opens(second), "connect")
    assert "incoming-webhook" not in again.url
    assert operator.allows(again).outcome == "reconnected"
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    broken = operator.presses(operator.opens(f"/connections/{name}"), "verify")
    start = operator.presses(broken, "reconnect")
    assert operator.allows(operator.presses(start, "connect")).outcome == "reconnected"
    payload = program.asks("GET", f"{LIST}/{name}").json()
    assert (payload["status"], payload["scopes"], "next" in payload) == ("healthy", ["chat:write"], False)


def test_webhook_without_a_subscriber_is_not_kept(site: Site, visitor: BrowserClient, program: Program) -> None:
    """Slack may grant what nobody asked for."""
    page = visitor.connects(site.link(mode="shared", context_keys=("tenant:acme",)), scenario="incoming_webhook")
    assert (page.outcome, endpoints(program)) == ("connected", [])


def test_installing_user_is_linked_to_the_subscriber(site: Site, visitor: BrowserClient, program: Program) -> None:
    for outcome in ("connected", "reconnected"):
        start = visitor.opens(asks(program, autoLinkUser=True, connectionIdentifier="of-bea"))
        assert visitor.allows(visitor.presses(start, "connect")).outcome == outcome
    (one,) = endpoints(program)
    user = site.slack.workspaces["T0ACMEHQ01"].person.id
    assert (one["type"], one["endpoint"], one["connectionIdentifier"]) == ("slack_user", {"userId": user}, "of-bea")
    assert one["subscriberId"] == "bea"
    changes = [entry.action for entry in entries(site.runtime.database) if entry.action.startswith("endpoint.")]
    assert changes == ["endpoint.created"]


def test_user_that_the_host_has_linked_is_not_linked_again(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(asks(program, connectionIdentifier="of-bea"))
    own = {
        "integrationIdentifier": "slack-prod",
        "subscriberId": "bea",
        "connectionIdentifier": "of-bea",
        "type": "slack_user",
        "endpoint": {"userId": site.slack.workspaces["T0ACMEHQ01"].person.id},
    }
    assert program.asks("POST", ENDPOINTS, own).status_code == 201
    start = visitor.opens(asks(program, autoLinkUser=True))
    assert visitor.allows(visitor.presses(start, "connect")).outcome == "reconnected"
    assert len(endpoints(program)) == 1


@pytest.mark.parametrize(
    "members",
    [
        {"autoLinkUser": False},
        {"autoLinkUser": None},
        {"autoLinkUser": True, "connectionMode": "shared", "context": {"tenant": "acme"}},
    ],
    ids=["switched off", "left out", "shared mode"],
)
def test_no_user_is_linked(members: dict[str, Any], visitor: BrowserClient, program: Program) -> None:
    assert visitor.connects(asks(program, **members)).outcome == "connected"
    assert endpoints(program) == []


def test_admin_who_approves_is_not_linked(site: Site, visitor: BrowserClient, program: Program) -> None:
    page = visitor.presses(visitor.opens(asks(program, autoLinkUser=True)), "ask-admin")
    with BrowserClient(site) as admin:
        assert admin.connects(link_for_admin(page)).outcome == "connected"
    assert endpoints(program) == []


def test_disconnect_deletes_what_the_install_created(visitor: BrowserClient, program: Program) -> None:
    visitor.connects(asks(program, scope=SCOPES, autoLinkUser=True, connectionIdentifier="of-bea"))
    assert {one["type"] for one in endpoints(program)} == {"webhook", "slack_user"}
    assert program.asks("DELETE", f"{LIST}/of-bea").status_code == 204
    assert endpoints(program) == []
