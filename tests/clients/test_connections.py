"""Connections through both official clients: create, find, change and delete."""

import re
from typing import Any

import pytest

from tests.browser_client import Site
from tests.clients.bodies import AUTH, WORKSPACE, connection
from tests.clients.conftest import Connect, MakeKey, key_for
from tests.clients.official import Client

#: Request, and the result that the clients must return.
CREATED: list[Any] = [
    pytest.param(
        connection(subscriberId="subscriber-123"),
        {"subscriberId": "subscriber-123", "contextKeys": [], "channel": "chat", "providerId": "slack"},
        id="for a subscriber",
    ),
    pytest.param(
        connection(connectionMode="subscriber", subscriberId="bea"), {"subscriberId": "bea"}, id="subscriber mode named"
    ),
    pytest.param(
        connection(connectionMode="shared", context={"tenant": "org-123"}),
        {"subscriberId": None, "contextKeys": ["tenant:org-123"]},
        id="shared",
    ),
    pytest.param(
        connection(connectionMode="shared", subscriberId="bea", context={"tenant": "org-123"}),
        {"subscriberId": None, "contextKeys": ["tenant:org-123"]},
        id="shared drops the subscriber",
    ),
    pytest.param(
        connection(context={"tenant": "org-123"}),
        {"subscriberId": None, "contextKeys": ["tenant:org-123"]},
        id="a context alone is shared",
    ),
    pytest.param(
        connection(subscriberId="bea", context={"tenant": "org-123", "region": "us-east-1"}),
        {"subscriberId": "bea", "contextKeys": ["tenant:org-123", "region:us-east-1"]},
        id="contexts in the order given",
    ),
    pytest.param(
        connection(context={"tenant": {"id": "org-123", "data": {"plan": "gold"}}}),
        {"contextKeys": ["tenant:org-123"]},
        id="a context with data",
    ),
    pytest.param(
        connection(identifier="slack-prod-user123-abc4"),
        {"identifier": "slack-prod-user123-abc4"},
        id="an identifier of one's own",
    ),
    pytest.param(connection(identifier="Büro 東京:1"), {"identifier": "Büro 東京:1"}, id="an identifier of any script"),
    pytest.param(
        connection(workspace={"id": "T9", "name": "Nine", "botUserId": "U9"}),
        {"workspace": {"id": "T9", "name": "Nine", "botUserId": "U9"}},
        id="a workspace with its bot",
    ),
    pytest.param(
        connection(auth={"accessToken": "xoxb-made-up", "expiresAt": "2030-01-01T00:00:00.000Z"}),
        {"auth": {"accessToken": "xoxb-made-up", "expiresAt": "2030-01-01T00:00:00.000Z"}},
        id="a token that ends",
    ),
]


@pytest.mark.parametrize(("body", "expected"), CREATED)
def test_created_connection_is_returned_and_found(novu: Client, body: Any, expected: dict[str, Any]) -> None:
    created = novu("connections.create", body=body).result
    assert {name: created[name] for name in expected} == expected
    assert novu("connections.retrieve", identifier=created["identifier"]).result == created


def test_generated_identifier_is_twelve_characters_after_its_prefix(novu: Client) -> None:
    created = novu("connections.create", body=connection()).result
    assert re.fullmatch("chconn_[0-9a-z]{12}", created["identifier"])


def test_update_replaces_workspace_and_token_whole(novu: Client) -> None:
    created = novu("connections.create", body=connection()).result
    body = {"workspace": {"id": "T9"}, "auth": {"accessToken": "another"}}
    updated = novu("connections.update", identifier=created["identifier"], body=body).result
    assert (updated["workspace"].get("name"), updated["auth"]["accessToken"]) == (None, "another")
    assert updated["createdAt"] == created["createdAt"]
    assert updated["updatedAt"] > created["updatedAt"]
    assert novu("connections.retrieve", identifier=created["identifier"]).result == updated


def test_deleted_connection_is_gone_and_can_be_created_again(novu: Client) -> None:
    body = connection(identifier="once")
    novu("connections.create", body=body)
    assert novu("connections.delete", identifier="once").error is None
    assert novu("connections.retrieve", identifier="once").status == 404
    assert novu("connections.create", body=body).error is None


def test_key_without_the_scope_gets_no_token_and_the_clients_accept_it(
    novu: Client, connect: Connect, make_key: MakeKey
) -> None:
    created = novu("connections.create", body=connection()).result
    reader = connect(make_key("connections:read"))
    shown = reader("connections.retrieve", identifier=created["identifier"]).result
    listed = reader("connections.list", query={}).result["data"]
    assert [one["auth"]["accessToken"] for one in (created, shown, *listed)] == [AUTH["accessToken"], "", ""]
    assert shown["workspace"]["id"] == WORKSPACE["id"]


def test_key_of_another_environment_finds_nothing(novu: Client, connect: Connect, shop: Site) -> None:
    novu("connections.create", body=connection(identifier="ours"))
    shop.add_environment("Elsewhere")
    stranger = connect(key_for(shop, environment="Elsewhere"))
    assert stranger("connections.retrieve", identifier="ours").status == 404
    assert stranger("connections.list", query={}).result["data"] == []
