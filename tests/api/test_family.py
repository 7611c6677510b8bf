"""Contexts, subscribers, channel endpoints and integrations: the objects around connections."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from tests.api.conftest import Program
from tests.browser_client import Site
from tests.conftest import Clock

CONTEXTS, SUBSCRIBERS, ENDPOINTS = "/v2/contexts", "/v2/subscribers", "/v1/channel-endpoints"


def endpoint(**members: Any) -> dict[str, Any]:
    whole = {
        "integrationIdentifier": "slack-prod",
        "subscriberId": "ada",
        "type": "slack_channel",
        "endpoint": {"channelId": "C1"},
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def test_context_is_created_shown_changed_and_deleted(clock: Clock, program: Program) -> None:
    made = program.asks("POST", CONTEXTS, {"type": "tenant", "id": "acme"}).json()
    assert list(made) == ["type", "id", "data", "createdAt", "updatedAt"]
    assert (made["data"], made["updatedAt"]) == ({}, made["createdAt"])
    clock.forward(seconds=1)
    changed = program.asks("PATCH", f"{CONTEXTS}/tenant/acme", {"data": {"b": 1, "a": {"c": [None]}}}).json()
    assert changed == program.asks("GET", f"{CONTEXTS}/tenant/acme").json()
    assert (changed["data"], changed["createdAt"]) == ({"b": 1, "a": {"c": [None]}}, made["createdAt"])
    assert changed["updatedAt"] > made["updatedAt"]
    assert program.asks("PATCH", f"{CONTEXTS}/tenant/acme", {"data": {}}).json()["data"] == {}
    gone = program.asks("DELETE", f"{CONTEXTS}/tenant/acme")
    assert (gone.status_code, gone.content) == (204, b"")
    assert program.asks("DELETE", f"{CONTEXTS}/tenant/acme").status_code == 404


def test_context_of_a_connection_is_created_and_keeps_its_data(program: Program) -> None:
    program.creates(context={"tenant": {"id": "acme", "data": {"plan": "pro"}}})
    program.creates(subscriberId="bea", context={"tenant": {"id": "acme", "data": {"plan": "free"}}})
    assert program.asks("GET", f"{CONTEXTS}/tenant/acme").json()["data"] == {"plan": "pro"}
    payload = program.asks("DELETE", f"{CONTEXTS}/tenant/acme").json()
    assert payload["code"] == "context_in_use"
    assert "2 channel connections" in payload["message"]


@pytest.mark.parametrize(
    ("method", "address", "body", "message"),
    [
        ("POST", "", {"type": "a", "id": "b"}, "Context with type 'a' and id 'b' already exists"),
        ("GET", "/a/x", None, "Context with id 'x' and type 'a' not found in environment env_"),
        ("PATCH", "/a/x", {"data": {}}, "Context with type 'a' and id 'x' not found"),
        ("DELETE", "/a/x", None, "Context with id 'x' and type 'a' not found in environment env_"),
        ("GET", "/a b/x", None, "Context with id 'x' and type 'a b' not found in environment env_"),
        ("DELETE", "/a%00/x", None, "Context with id 'x' and type 'a\0' not found in environment env_"),
    ],
)
def test_existing_and_missing_contexts_are_reported(
    method: str, address: str, body: Any, message: str, program: Program
) -> None:
    program.asks("POST", CONTEXTS, {"type": "a", "id": "b"})
    assert program.asks(method, f"{CONTEXTS}{address}", body).json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["type", "id"]),
        ({"type": "a.b", "id": "x" * 101}, ["type", "id"]),
        ({"type": "a", "id": "b", "data": []}, ["data"]),
        ({"type": "a", "id": "b", "data": {"x": "y" * 65_536}}, ["data"]),
    ],
)
def test_invalid_context_names_its_fields(body: Any, fields: list[str], program: Program) -> None:
    assert list(program.asks("POST", CONTEXTS, body).json()["errors"]) == fields


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "region:eu Tenant:acme-2 tenant:acme"),
        ("orderDirection=ASC&limit=2", "tenant:acme Tenant:acme-2"),
        ("id=acme", "tenant:acme"),
        ("type=Tenant", "Tenant:acme-2"),
        ("search=TENANT:ACME", "Tenant:acme-2 tenant:acme"),
        ("search=n", "region:eu Tenant:acme-2 tenant:acme"),
        ("search=_", ""),
        ("search=%25", ""),
    ],
)
def test_contexts_are_found(query: str, found: str, program: Program) -> None:
    for kind, name in (("tenant", "acme"), ("Tenant", "acme-2"), ("region", "eu")):
        program.asks("POST", CONTEXTS, {"type": kind, "id": name})
    page = program.asks("GET", f"{CONTEXTS}?{query}").json()
    assert [f"{one['type']}:{one['id']}" for one in page["data"]] == found.split()


def test_subscriber_is_created_changed_and_deleted(clock: Clock, program: Program) -> None:
    body = {"subscriberId": "ada", "firstName": "Ada", "email": "ada@acme.example", "data": {"plan": "pro"}}
    made = program.asks("POST", SUBSCRIBERS, body).json()
    assert body.items() <= made.items()
    assert {"_organizationId", "_environmentId", "deleted", "createdAt", "updatedAt"} <= set(made)
    assert (made["deleted"], "lastName" in made) == (False, False)
    clock.forward(seconds=1)
    changed = program.asks("PATCH", f"{SUBSCRIBERS}/ada", {"lastName": "L.", "email": None}).json()
    assert (changed["firstName"], changed["lastName"], "email" in changed) == ("Ada", "L.", False)
    assert changed["updatedAt"] > made["updatedAt"]
    again = program.asks("POST", SUBSCRIBERS, {"subscriberId": "ada", "firstName": "Augusta"})
    assert (again.status_code, again.json()["lastName"]) == (201, "L.")
    assert program.asks("GET", f"{SUBSCRIBERS}/ada").json() == again.json()
    gone = program.asks("DELETE", f"{SUBSCRIBERS}/ada")
    assert (gone.status_code, gone.json()) == (200, {"acknowledged": True, "status": "deleted"})
    assert program.asks("GET", f"{SUBSCRIBERS}/ada").json()["message"] == "Subscriber: ada was not found"
    assert program.asks("DELETE", f"{SUBSCRIBERS}/ada").json()["message"] == "Subscriber was not found"


def test_existing_subscriber_is_in_the_409_response(program: Program) -> None:
    """An official client reads the subscriber from it."""
    made = program.asks("POST", SUBSCRIBERS, {"subscriberId": "ada", "firstName": "Ada"}).json()
    answer = program.asks("POST", f"{SUBSCRIBERS}?failIfExists=true", {"subscriberId": "ada", "firstName": "Eve"})
    assert (answer.status_code, answer.json()["message"]) == (409, "Subscriber: ada already exists")
    assert made.items() <= answer.json().items()


def test_subscriber_with_connections_is_not_deleted(program: Program) -> None:
    name = program.creates().json()["identifier"]
    assert "has 1 channel connection." in program.asks("DELETE", f"{SUBSCRIBERS}/ada").json()["message"]
    program.asks("DELETE", f"/v1/channel-connections/{name}")
    assert program.asks("DELETE", f"{SUBSCRIBERS}/ada").status_code == 200


def test_endpoints_of_a_subscriber_are_deleted_with_it(program: Program) -> None:
    for name in ("ada", "bea"):
        made = program.asks("POST", ENDPOINTS, endpoint(identifier=f"of-{name}", subscriberId=name))
        assert made.status_code == 201
    assert program.asks("DELETE", f"{SUBSCRIBERS}/ada").status_code == 200
    assert [one["identifier"] for one in program.asks("GET", ENDPOINTS).json()["data"]] == ["of-bea"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "cy bea ada"),
        ("limit=1&orderDirection=ASC", "ada"),
        ("subscriberId=bea", "bea"),
        ("email=bea@acme.example", "bea"),
        ("phone=123", "cy"),
        ("name=LOVE", "ada"),
        ("name=e", "bea ada"),
        ("name=%25", ""),
    ],
)
def test_subscribers_are_found(query: str, found: str, program: Program) -> None:
    for body in (
        {"subscriberId": "ada", "firstName": "Ada", "lastName": "Lovelace"},
        {"subscriberId": "bea", "firstName": "Bea", "email": "bea@acme.example"},
        {"subscriberId": "cy", "phone": "123"},
    ):
        program.asks("POST", SUBSCRIBERS, body)
    page = program.asks("GET", f"{SUBSCRIBERS}?{query}").json()
    assert [one["subscriberId"] for one in page["data"]] == found.split()


@pytest.mark.parametrize(
    ("kind", "form", "shown"),
    [
        ("slack_channel", {"channelId": "C1", "more": 1}, {"channelId": "C1"}),
        ("slack_user", {"userId": "U1"}, {"userId": "U1"}),
        ("webhook", {"url": "https://hooks.example/x"}, {"url": "https://hooks.example/x"}),
        ("webhook", {"url": "http://h.example", "channel": "#a"}, {"url": "http://h.example", "channel": "#a"}),
    ],
)
def test_endpoint_is_kept_in_the_form_of_its_type(kind: str, form: Any, shown: Any, program: Program) -> None:
    made = program.asks("POST", ENDPOINTS, endpoint(type=kind, endpoint=form, context={"tenant": "acme"})).json()
    assert made["identifier"].startswith("chendp_")
    assert made == {
        "identifier": made["identifier"],
        "integrationIdentifier": "slack-prod",
        "connectionIdentifier": None,
        "providerId": "slack",
        "channel": "chat",
        "subscriberId": "ada",
        "contextKeys": ["tenant:acme"],
        "type": kind,
        "endpoint": shown,
        "status": "active",
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
    }
    assert program.asks("GET", f"{ENDPOINTS}/{made['identifier']}").json() == made


def test_endpoints_ignored_members_are_named_in_a_header(program: Program) -> None:
    form = {"channelId": "C1", "name": "general"}
    made = program.asks("POST", ENDPOINTS, endpoint(type="slack_channel", endpoint=form))
    one = f"{ENDPOINTS}/{made.json()['identifier']}"
    changed = program.asks("PATCH", one, {"endpoint": {**form, "userId": "U1"}, "type": "slack_user"})
    assert made.headers["X-Ignored-Fields"] == "endpoint.name"
    assert set(changed.headers["X-Ignored-Fields"].split(", ")) == {"type", "endpoint.name", "endpoint.userId"}


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("slack_channel", {}),
        ("slack_channel", {"userId": "U1"}),
        ("slack_user", {"userId": ""}),
        ("webhook", {"url": "ftp://secret.example"}),
        ("webhook", {"url": "https://"}),
        ("webhook", {"url": "https://secret.example/" + "x" * 2048}),
    ],
)
def test_endpoint_of_another_form_is_refused_without_repeating_it(kind: str, form: Any, program: Program) -> None:
    answer = program.asks("POST", ENDPOINTS, endpoint(type=kind, endpoint=form))
    assert answer.json()["errors"] == {
        "endpoint": {"messages": [f'Endpoint must match the required format for type "{kind}"']}
    }
    assert "secret.example" not in answer.text


def test_all_invalid_members_of_an_endpoint_are_reported_at_once(program: Program) -> None:
    payload = program.asks("POST", ENDPOINTS, endpoint(subscriberId="a/b", type="slack_channel", endpoint={})).json()
    assert set(payload["errors"]) == {"subscriberId", "endpoint"}


def test_all_invalid_members_and_parameters_are_reported_at_once(program: Program) -> None:
    payload = program.asks("POST", f"{SUBSCRIBERS}?failIfExists=1", {"subscriberId": 5}).json()
    assert set(payload["errors"]) == {"subscriberId", "failIfExists"}
    payload = program.asks("GET", f"{SUBSCRIBERS}?limit=1&limit=2&orderBy=name").json()
    assert set(payload["errors"]) == {"limit", "orderBy"}


def test_missing_endpoint_is_reported_in_each_methods_words(program: Program) -> None:
    for name in ("nope", "a%5Cb"):
        for method, message in (
            ("GET", "Channel endpoint with identifier '{}' not found"),
            ("DELETE", "Channel endpoint with identifier '{}' not found"),
            ("PATCH", 'Channel endpoint with identifier "{}" not found in environment "Development"'),
        ):
            body = {"endpoint": {"channelId": "C1"}} if method == "PATCH" else None
            payload = program.asks(method, f"{ENDPOINTS}/{name}", body).json()
            assert payload["message"] == message.format(unquote(name))


_HINT = "Pass createSubscriberIfMissing: true to create it, or provision it via POST /v2/subscribers."


def test_endpoint_names_the_missing_object(site: Site, program: Program) -> None:
    site.add_practice_app("slack-two", "Two", "Development")
    other = program.creates(integrationIdentifier="slack-two").json()["identifier"]
    site.set_unknown_subscribers("Development", "refuse")
    for members, message in (
        ({"integrationIdentifier": "nobody"}, "Integration not found: nobody"),
        ({"subscriberId": "nobody"}, f"Subscriber not found: nobody. {_HINT}"),
        ({"connectionIdentifier": "nobody"}, "Channel connection not found: nobody"),
        ({"connectionIdentifier": other}, f"Channel connection not found: {other}"),
    ):
        payload = program.asks("POST", ENDPOINTS, endpoint(**members)).json()
        assert (payload["statusCode"], payload["message"]) == (404, message)
    created = endpoint(subscriberId="new", createSubscriberIfMissing=True)
    assert program.asks("POST", ENDPOINTS, created).status_code == 201
    site.set_unknown_subscribers("Development", "create")
    refused = endpoint(subscriberId="newer", createSubscriberIfMissing=False)
    assert program.asks("POST", ENDPOINTS, refused).status_code == 404


def test_endpoint_is_changed_within_its_type(program: Program, make_program: Callable[..., Program]) -> None:
    hook = endpoint(type="webhook", endpoint={"url": "https://hooks.example/x"}, identifier="e")
    program.asks("POST", ENDPOINTS, hook)
    refused = program.asks("PATCH", f"{ENDPOINTS}/e", {"endpoint": {"channelId": "C1"}})
    assert list(refused.json()["errors"]) == ["endpoint"]
    changed = program.asks("PATCH", f"{ENDPOINTS}/e", {"endpoint": {"url": "https://hooks.example/y"}}).json()
    assert changed["endpoint"] == {"url": "https://hooks.example/y"}
    reader = make_program("connections:read")
    assert reader.asks("GET", f"{ENDPOINTS}/e").json()["endpoint"] == {"url": ""}
    assert reader.asks("GET", ENDPOINTS).json()["data"][0]["endpoint"] == {"url": ""}
    assert program.asks("DELETE", f"{ENDPOINTS}/e").status_code == 204
    for method, body in (("GET", None), ("PATCH", {"endpoint": {"channelId": "C"}}), ("DELETE", None)):
        answer = program.asks(method, f"{ENDPOINTS}/e", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "endpoint_not_found")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "with-connection bea in-context plain"),
        ("subscriberId=bea", "bea"),
        ("connectionIdentifier=c", "with-connection"),
        ("connectionIdentifier=nobody", ""),
        ("contextKeys=region:eu&contextKeys=tenant:acme", "in-context"),
        ("contextKeys=tenant:acme", ""),
        ("contextKeys=&limit=1", "with-connection"),
        ("integrationIdentifier=nobody", ""),
        ("providerId=slack&channel=chat&limit=1&orderDirection=ASC", "plain"),
        ("channel=email", ""),
    ],
)
def test_endpoints_are_found(query: str, found: str, program: Program) -> None:
    program.creates(identifier="c")
    for members in (
        {"identifier": "plain"},
        {"identifier": "in-context", "context": {"tenant": "acme", "region": "eu"}},
        {"identifier": "bea", "subscriberId": "bea"},
        {"identifier": "with-connection", "connectionIdentifier": "c"},
    ):
        assert program.asks("POST", ENDPOINTS, endpoint(**members)).status_code == 201
    page = program.asks("GET", f"{ENDPOINTS}?{query}").json()
    assert [one["identifier"] for one in page["data"]] == found.split()


@pytest.mark.parametrize("address", [CONTEXTS, SUBSCRIBERS, ENDPOINTS])
def test_every_list_pages_to_its_end_and_back(address: str, program: Program) -> None:
    for number in range(5):
        body = {
            CONTEXTS: {"type": "t", "id": f"n{number}"},
            SUBSCRIBERS: {"subscriberId": f"auth0|n{number}"},
            ENDPOINTS: endpoint(identifier=f"n|{number}"),
        }[address]
        assert program.asks("POST", address, body).status_code == 201
    first = program.asks("GET", f"{address}?limit=2.0").json()
    second = program.asks("GET", f"{address}?limit=2&after={first['next']}").json()
    third = program.asks("GET", f"{address}?limit=2&after={second['next']}").json()
    assert [len(page["data"]) for page in (first, second, third)] == [2, 2, 1]
    assert (first["previous"], third["next"], first["totalCount"], first["totalCountCapped"]) == (None, None, 5, False)
    back = program.asks("GET", f"{address}?limit=2&before={third['previous']}").json()
    assert back["data"] == second["data"]
    assert program.asks("GET", f"{address}?limit=2&before={back['previous']}").json()["data"] == first["data"]
    assert program.asks("GET", f"{address}?after=x").json()["code"] == "cursor_unknown"
    # Nor does one list accept another list's cursor.
    for other in {CONTEXTS, SUBSCRIBERS, ENDPOINTS} - {address}:
        assert program.asks("GET", f"{other}?after={first['next']}").json()["code"] == "cursor_unknown"


@pytest.mark.parametrize("address", ["/v1/integrations", "/v1/integrations/active"])
def test_integrations_are_listed_without_credentials(address: str, program: Program) -> None:
    answer = program.asks("GET", address)
    (practice, mine) = answer.json()
    assert (practice["identifier"], mine["identifier"], mine["name"]) == ("slack-practice", "slack-prod", "Northwind")
    assert {"_environmentId", "_organizationId", "providerId", "channel", "active", "deleted", "primary"} <= set(mine)
    assert (mine["credentials"], mine["active"], mine["channel"], mine["providerId"]) == ({}, True, "chat", "slack")
    assert "secret" not in answer.text
