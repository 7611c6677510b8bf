"""Install URLs: the accepted requests, and the connections that they lead to."""

from typing import Any

import pytest

from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock
from tests.pages.test_approval import link_for_admin

ADDRESS = "/v1/integrations/channel-connections/oauth"
LIST = "/v1/channel-connections"


def asks(program: Program, **members: Any) -> str:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "bea", **members}
    answer = program.asks("POST", ADDRESS, {name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["url"]
    url: str = answer.json()["url"]
    return url


def code_of(program: Program, **members: Any) -> str:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "bea", **members}
    answer = program.asks("POST", ADDRESS, {name: value for name, value in body.items() if value is not None})
    code: str = answer.json()["code"]
    return code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"connectionMode": "shared"}, "context_required"),
        ({"connectionMode": "subscriber", "subscriberId": None}, "subscriber_required"),
        ({"subscriberId": None}, "owner_required"),
        ({"integrationIdentifier": "nobody"}, "integration_not_found"),
        ({"scope": ["chat write"]}, "validation_failed"),
        ({"scope": ["chat:write,users:read"]}, "validation_failed"),
        ({"scope": [""]}, "validation_failed"),
        ({"scope": ["a" * 101]}, "validation_failed"),
        ({"scope": ["chat:write\n"]}, "validation_failed"),
        ({"scope": "chat:write"}, "validation_failed"),
        ({"connectionIdentifier": "a/b"}, "validation_failed"),
        ({"context": {"a b": "c"}}, "validation_failed"),
        ({"autoLinkUser": "yes"}, "validation_failed"),
    ],
)
def test_install_url_obeys_the_rules_of_connections(members: dict[str, Any], code: str, program: Program) -> None:
    assert code_of(program, **members) == code


def test_scope_without_a_sentence_is_shown_by_its_name(visitor: BrowserClient, program: Program) -> None:
    page = visitor.opens(asks(program, scope=["calls:read", "agents:write"]))
    permissions = next(one for one in page.root.iter("ul") if one.get("class") == "permissions")
    words = [" ".join("".join(one.itertext()).split()) for one in permissions.iter("li")]
    assert words == [
        "See current and past calls calls:read",
        "Use a permission that Slack describes on its own page agents:write",
    ]


def test_unknown_subscriber_is_refused_where_the_environment_says_so(site: Site, program: Program) -> None:
    site.set_unknown_subscribers("Development", "refuse")
    assert code_of(program) == "subscriber_not_found"
    program.asks("POST", "/v2/subscribers", {"subscriberId": "bea"})
    assert asks(program)


def test_subscriber_is_created_when_the_person_connects(visitor: BrowserClient, program: Program) -> None:
    url = asks(program)
    assert program.asks("GET", "/v2/subscribers/bea").status_code == 404
    assert visitor.connects(url).outcome == "connected"
    assert program.asks("GET", "/v2/subscribers/bea").status_code == 200


def test_shared_install_url_leads_to_a_shared_connection(visitor: BrowserClient, program: Program) -> None:
    url = asks(program, connectionMode="shared", context={"tenant": "acme", "region": "eu"})
    assert visitor.connects(url).outcome == "connected"
    payload = program.asks("GET", f"{LIST}/{program.lists()[0]}").json()
    assert (payload["connectionMode"], payload["subscriberId"]) == ("shared", None)
    assert payload["contextKeys"] == ["tenant:acme", "region:eu"]
    assert (payload["status"], payload["workspace"]["name"], "next" in payload) == ("healthy", "Acme HQ", False)
    assert payload["scopes"]
    assert payload["installedBy"].startswith("U")


def test_install_url_for_an_existing_connection_reconnects_it(visitor: BrowserClient, program: Program) -> None:
    made = program.creates(identifier="bea-1", subscriberId="bea", workspace={"id": "T0ACMEHQ01"}).json()
    start = visitor.opens(asks(program, connectionIdentifier="bea-1"))
    assert start.outcome == "already_connected"
    assert visitor.allows(visitor.presses(start, "connect")).outcome == "reconnected"
    (name,) = program.lists()
    payload = program.asks("GET", f"{LIST}/{name}").json()
    assert (name, payload["createdAt"]) == ("bea-1", made["createdAt"])
    assert payload["auth"]["accessToken"].startswith("xoxb-")


def test_install_url_for_a_broken_connection_says_so(site: Site, visitor: BrowserClient, program: Program) -> None:
    assert visitor.connects(asks(program)).outcome == "connected"
    (name,) = program.lists()
    installation = site.slack.installations()[0]
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["next"] == ["reconnect"]
    start = visitor.opens(asks(program))
    assert (start.outcome, start.heading) == ("already_connected", "Slack needs to be reconnected")
    assert "nothing needs doing" not in start.text
    assert visitor.allows(visitor.presses(start, "connect")).outcome == "reconnected"
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "healthy"


def test_identifier_that_was_taken_in_the_meantime_is_replaced(visitor: BrowserClient, program: Program) -> None:
    url = asks(program, connectionIdentifier="wanted")
    program.creates(identifier="wanted", subscriberId="cy")
    assert visitor.connects(url).outcome == "connected"
    assert "wanted" in program.lists("subscriberId=cy")
    assert program.lists("subscriberId=bea") != ["wanted"]


def test_install_url_is_valid_for_five_minutes_and_the_attempt_for_ten(
    visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    first, second = asks(program), asks(program)
    clock.forward(minutes=4)
    consent = visitor.presses(visitor.opens(first), "connect")
    clock.forward(minutes=2)
    assert visitor.opens(second).outcome == "link_expired"
    assert visitor.allows(consent).outcome == "connected"


def test_used_install_url_opens_nothing_in_another_browser(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    url = asks(program)
    visitor.connects(url)
    with BrowserClient(site) as other:
        page = other.opens(url)
    assert (page.outcome, "Acme HQ" in page.text) == ("link_used", False)
    assert len(program.lists()) == 1


def test_repeat_with_a_key_returns_the_same_address(program: Program) -> None:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "bea"}
    first = program.asks("POST", ADDRESS, body, Idempotency_Key="k").json()
    assert program.asks("POST", ADDRESS, body, Idempotency_Key="k").json() == first
    assert program.asks("POST", ADDRESS, body).json() != first


def test_install_url_that_is_handed_on_requests_the_same_scopes(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    page = visitor.presses(
        visitor.opens(asks(program, scope=["chat:write"], connectionIdentifier="of-bea")), "ask-admin"
    )
    with BrowserClient(site) as admin:
        assert admin.connects(link_for_admin(page)).outcome == "connected"
    assert program.asks("GET", f"{LIST}/of-bea").json()["scopes"] == ["chat:write"]


@pytest.mark.parametrize("members", [{}, {"mode": "connect"}], ids=["default", "connect"])
def test_mode_of_the_older_address_is_connect_by_default(members: dict[str, str], program: Program) -> None:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "bea", **members}
    response = program.asks("POST", "/v1/integrations/chat/oauth", body)
    assert (response.status_code, list(response.json())) == (201, ["url"])
    refused = program.asks("POST", "/v1/integrations/chat/oauth", {**body, "mode": "other"})
    assert list(refused.json()["errors"]) == ["mode"]
