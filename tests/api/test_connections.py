"""Connections that API callers create, change, verify and delete."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site
from tests.clients.bodies import REFERENCE
from tests.conftest import Clock

LIST = "/v1/channel-connections"


def test_example_of_the_reference_gets_its_answer(program: Program) -> None:
    answer = program.asks("POST", LIST, REFERENCE)
    assert answer.status_code == 201
    payload = answer.json()
    assert {name: payload[name] for name in payload if name not in ("createdAt", "updatedAt")} == {
        "identifier": "slack-prod-user123-abc4",
        "channel": "chat",
        "providerId": "slack",
        "integrationIdentifier": "slack-prod",
        "subscriberId": None,
        "contextKeys": ["key:org-acme"],
        "workspace": {"id": "T123456", "name": "Acme HQ"},
        "auth": {"accessToken": "Workspace access token"},
        "connectionMode": "shared",
        "status": "unknown",
        "next": ["verify"],
    }
    assert payload["createdAt"] == payload["updatedAt"]
    assert len(payload["createdAt"]) == len("2026-11-23T10:00:00.000Z")
    assert payload["createdAt"].endswith("Z")


@pytest.mark.parametrize(
    ("members", "mode", "subscriber"),
    [
        ({"connectionMode": "subscriber"}, "subscriber", "ada"),
        ({}, "subscriber", "ada"),
        ({"context": {"tenant": "acme"}}, "subscriber", "ada"),
        ({"subscriberId": None, "context": {"tenant": "acme"}}, "shared", None),
        ({"connectionMode": "shared", "context": {"tenant": {"id": "acme", "data": {"a": 1}}}}, "shared", None),
    ],
)
def test_mode_is_derived_from_the_members(
    members: dict[str, Any], mode: str, subscriber: str | None, program: Program
) -> None:
    payload = program.creates(**members).json()
    assert (payload["connectionMode"], payload["subscriberId"]) == (mode, subscriber)


def test_checks_run_in_the_documented_order(site: Site, program: Program) -> None:
    site.set_unknown_subscribers("Development", "refuse")
    wrong: dict[str, Any] = {"workspace": {"id": 7}, "connectionMode": "shared", "integrationIdentifier": "nobody"}
    seen = []
    for name, right in (("workspace", {"id": "T1"}), ("connectionMode", None), ("integrationIdentifier", None)):
        seen.append(program.creates(**wrong).json()["code"])
        wrong[name] = right
        if right is None:
            del wrong[name]
    seen.append(program.creates(**wrong).json()["code"])
    assert seen == ["validation_failed", "context_required", "integration_not_found", "subscriber_not_found"]
    program.asks("POST", "/v2/subscribers", {"subscriberId": "ada"})
    assert program.creates(identifier="c").status_code == 201
    assert program.creates(identifier="c").json()["code"] == "connection_exists"
    program.asks("POST", "/v2/subscribers", {"subscriberId": "bea"})
    assert program.creates(identifier="c", subscriberId="bea").json()["code"] == "identifier_taken"


def test_conflict_names_identity_and_connection(program: Program) -> None:
    name = program.creates(context={"b": "2", "a": "1"}).json()["identifier"]
    answer = program.creates(context={"a": "1", "b": "2"})
    assert answer.json()["message"] == (
        'A channel connection already exists for integration "slack-prod" with subscriberId "ada" and context '
        f"[a:1, b:2]. Connection ID: {name}"
    )


def test_all_invalid_members_are_reported_at_once_without_credentials(program: Program) -> None:
    answer = program.creates(
        workspace={"id": 7},
        connectionMode="both",
        identifier="a/b",
        auth={"accessToken": 12345678, "expiresAt": "soon-secret"},
        context={"tenant": 5},
    )
    payload = answer.json()["errors"]
    assert payload["workspace.id"] == {"messages": ["workspace.id must be a string"], "value": 7}
    assert payload["connectionMode"]["messages"] == ["connectionMode must be one of: subscriber, shared"]
    assert payload["auth.accessToken"] == {"messages": ["auth.accessToken must be a string"]}
    assert {"identifier", "auth.expiresAt", "context"} <= set(payload)
    assert "12345678" not in answer.text
    assert "soon-secret" not in answer.text


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "Invalid context payload structure."),
        ([], "Invalid context payload structure."),
        ({"a": 1}, "Invalid context payload structure."),
        ({"a": {"data": {}}}, "Invalid context payload structure."),
        ({str(index): "x" for index in range(6)}, "Too many contexts: 6 provided, maximum allowed is 5"),
        ({"a": {"id": "b", "data": {"x": "y" * 70_000}}}, "Context 'a' Data is too large: 69KB exceeds 64KB limit"),
        (
            {"a": {"id": "b", "data": {"x": 2**64}}},
            "Context 'a' data must be JSON of UTF-8 text and numbers of 64 bits, nested at most 250 deep",
        ),
        ({"a b": "x"}, "A context's type and id have"),
        ({"a": "x" * 101}, "A context's type and id have"),
    ],
)
def test_invalid_context_is_explained(context: object, message: str, program: Program) -> None:
    payload = program.creates(context=context).json()["errors"]["context"]["messages"]
    assert payload[0].startswith(message)


def test_ignored_members_are_named_in_a_header(program: Program) -> None:
    tenant = {"id": "acme", "data": {"anything": 1}, "name": "Acme"}
    answer = program.creates(
        **{"x\r\nSet-Cookie: a": 1}, workspace={"id": "T1", "icon": "y"}, context={"tenant": tenant, "region": "eu"}
    )
    assert answer.status_code == 201
    assert program.asks("GET", f"{LIST}?workspaceID=T1&limit=1").headers["X-Ignored-Fields"] == "workspaceID"
    ignored = {"workspace.icon", "context.tenant.name", "x%0D%0ASet-Cookie%3A%20a"}
    assert set(answer.headers["X-Ignored-Fields"].split(", ")) == ignored


@pytest.mark.parametrize(
    ("auth", "shown"),
    [
        ({"accessToken": "  spaced out  "}, {"accessToken": "spaced out"}),
        (
            {"accessToken": "a", "expiresAt": "2030-01-02T03:04:05+02:00"},
            {"accessToken": "a", "expiresAt": "2030-01-02T01:04:05.000Z"},
        ),
        (
            {"accessToken": "a", "refreshToken": "r", "expiresAt": "2030-01-02T03:04:05Z"},
            {"accessToken": "a", "hasRefreshToken": True, "expiresAt": "2030-01-02T03:04:05.000Z"},
        ),
    ],
)
def test_credentials_are_shown_as_documented(auth: dict[str, str], shown: dict[str, object], program: Program) -> None:
    assert program.creates(auth=auth).json()["auth"] == shown


def test_tokens_are_stored_encrypted(site: Site, program: Program) -> None:
    program.creates(auth={"accessToken": "plainly-visible", "refreshToken": "refresh-visible"})
    with site.runtime.database.reading() as session:
        row = session.execute(text("SELECT * FROM installations")).mappings().one()
    assert "visible" not in repr(dict(row)).replace("token_last_four", "")
    assert row["token_last_four"] == "ible"


def test_update_replaces_workspace_and_auth_and_resets_the_status(program: Program) -> None:
    made = program.creates(auth={"accessToken": "a", "expiresAt": "2030-01-02T03:04:05Z"}).json()
    address = f"{LIST}/{made['identifier']}"
    assert program.asks("POST", f"{address}/verify").json()["status"] == "needs_reconnect"
    answer = program.asks("PATCH", address, {"workspace": {"id": "T2"}, "auth": {"accessToken": "b"}})
    payload = answer.json()
    assert (answer.status_code, payload["workspace"], payload["auth"]) == (200, {"id": "T2"}, {"accessToken": "b"})
    assert (payload["status"], payload.get("statusReason")) == ("unknown", None)
    assert payload["createdAt"] == made["createdAt"]
    assert payload["updatedAt"] > made["updatedAt"]


def test_same_refresh_token_is_one_stored_grant(site: Site, program: Program) -> None:
    pair = {"accessToken": "a-long-enough-token", "refreshToken": "single-use"}
    program.creates(auth=pair)
    program.creates(subscriberId="bea", auth=pair)
    program.creates(subscriberId="cy", auth={**pair, "refreshToken": "another"})
    with site.runtime.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM installations")) == 2


def test_delete_revokes_at_slack_only_on_request(site: Site, visitor: BrowserClient, program: Program) -> None:
    for asked, revoked in (("", 0), ("?revoke=true", 1)):
        visitor.connects(site.link("slack-prod"))
        (name,) = program.lists()
        before = len(site.slack.calls("auth.revoke"))
        answer = program.asks("DELETE", f"{LIST}/{name}{asked}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert len(site.slack.calls("auth.revoke")) - before == revoked
        assert program.asks("DELETE", f"{LIST}/{name}").status_code == 404


def test_nothing_is_revoked_while_a_connection_of_the_api_has_the_workspace(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(site.link("slack-prod"))
    (installed,) = program.lists()
    assert program.creates(subscriberId="cy", workspace={"id": "T0ACMEHQ01"}).status_code == 201
    assert program.asks("DELETE", f"{LIST}/{installed}?revoke=true").status_code == 204
    assert site.slack.calls("auth.revoke") == []


def test_endpoints_are_deleted_with_their_connection(program: Program) -> None:
    name = program.creates().json()["identifier"]
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "slack_channel"}
    body |= {"endpoint": {"channelId": "C1"}, "connectionIdentifier": name}  # type: ignore[dict-item]  # a body may be any JSON value
    assert program.asks("POST", "/v1/channel-endpoints", body).status_code == 201
    program.asks("DELETE", f"{LIST}/{name}")
    assert program.asks("GET", "/v1/channel-endpoints").json()["data"] == []


def test_caller_and_browser_create_the_same_connection(site: Site, visitor: BrowserClient, program: Program) -> None:
    made = program.creates(subscriberId="bea", workspace={"id": "T0ACMEHQ01"}).json()
    assert visitor.opens(site.link("slack-prod", subscriber_id="bea")).outcome == "already_connected"
    done = visitor.allows(visitor.presses(visitor.opens(site.link("slack-prod", subscriber_id="bea")), "connect"))
    assert done.outcome == "reconnected"
    payload = program.asks("GET", f"{LIST}/{made['identifier']}").json()
    assert (payload["status"], payload["workspace"]["name"]) == ("healthy", "Acme HQ")
    assert payload["auth"]["accessToken"].startswith("xoxb-")
    assert payload["installedBy"]
    assert program.creates(subscriberId="bea").json()["code"] == "connection_exists"


def test_caller_may_use_another_host_name_of_this_computer(site: Site, program: Program) -> None:
    answer = program.asks("GET", LIST, Host=f"localhost:{site.settings.port}")
    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_unexpected_query_parameters_are_named(program: Program) -> None:
    name = program.creates().json()["identifier"]
    assert program.asks("GET", f"{LIST}/{name}?colour=red").headers["X-Ignored-Fields"] == "colour"


def test_delete_responds_without_a_body(program: Program) -> None:
    name = program.creates().json()["identifier"]
    answer = program.asks("DELETE", f"{LIST}/{name}")
    assert (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (204, b"", None)


def test_install_url_leads_to_the_named_connection(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    ask = {
        "integrationIdentifier": "slack-prod",
        "subscriberId": "bea",
        "context": {"tenant": {"id": "acme", "data": {"plan": "pro"}}},
        "connectionIdentifier": "bea-of-acme",
        "scope": ["chat:write"],
    }
    address = "/v1/integrations/channel-connections/oauth"
    late = program.asks("POST", address, ask).json()["url"]
    clock.forward(minutes=6)
    assert visitor.opens(late).outcome == "link_expired"
    url = program.asks("POST", address, ask).json()["url"]
    assert url.startswith(f"{site.settings.origin}/connect/")
    start = visitor.opens(url)
    assert "chat:write" in start.text
    assert "groups:read" not in start.text
    assert visitor.allows(visitor.presses(start, "connect")).outcome == "connected"
    payload = program.asks("GET", f"{LIST}/bea-of-acme").json()
    assert (payload["subscriberId"], payload["contextKeys"], payload["scopes"]) == (
        "bea",
        ["tenant:acme"],
        ["chat:write"],
    )
    assert program.asks("GET", "/v2/contexts/tenant/acme").json()["data"] == {"plan": "pro"}
    with BrowserClient(site) as other:
        assert other.opens(url).outcome == "link_used"
    taken = {**ask, "subscriberId": "cy"}
    assert program.asks("POST", address, taken).json()["code"] == "identifier_taken"


@pytest.mark.parametrize(("mode", "status"), [({}, 201), ({"mode": "connect"}, 201), ({"mode": "other"}, 422)])
def test_older_name_of_the_install_url_connects_by_default(mode: dict[str, str], status: int, program: Program) -> None:
    ask = {"integrationIdentifier": "slack-prod", "subscriberId": "bea", **mode}
    assert program.asks("POST", "/v1/integrations/chat/oauth", ask).status_code == status


def test_environments_do_not_see_each_other(site: Site, program: Program, make_program: Callable[..., Program]) -> None:
    site.add_environment("Production")
    site.add_practice_app("slack-prod", "Northwind", "Production")
    other = make_program(environment="Production")
    mine, theirs = program.creates(identifier="c"), other.creates(identifier="c")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    other.asks("PATCH", f"{LIST}/c", {"workspace": {"id": "T9"}, "auth": {"accessToken": "theirs"}})
    assert program.asks("GET", f"{LIST}/c").json()["workspace"]["id"] == "T1"
    program.asks("DELETE", f"{LIST}/c")
    assert other.lists() == ["c"]
    assert program.lists() == []


@pytest.mark.parametrize("odd", ["\r\n", "T1\n", "\x1b[31mT1", "T\x7f1", "T\x851"])
def test_no_id_has_control_characters(odd: str, program: Program) -> None:
    for field, members in (
        ("workspace.id", {"workspace": {"id": odd}}),
        ("workspace.botUserId", {"workspace": {"id": "T1", "botUserId": odd}}),
        ("integrationIdentifier", {"integrationIdentifier": odd}),
        ("identifier", {"identifier": odd}),
        ("subscriberId", {"subscriberId": odd}),
    ):
        response = program.creates(**members)
        assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    for field, body in (
        ("endpoint", {"endpoint": {"channelId": odd}}),
        ("connectionIdentifier", {"connectionIdentifier": odd}),
        ("integrationIdentifier", {"integrationIdentifier": odd}),
    ):
        full: dict[str, Any] = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "slack_channel"}
        full |= {"endpoint": {"channelId": "C1"}, **body}
        response = program.asks("POST", "/v1/channel-endpoints", full)
        assert (response.status_code, list(response.json()["errors"])) == (422, [field])
