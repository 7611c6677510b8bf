"""Both official clients: integrations, install URLs, contexts, subscribers and channels around connections."""

from typing import Any

import pytest

from tests.browser_client import BrowserClient, Site
from tests.clients.bodies import connection, endpoint, within
from tests.clients.conftest import fill
from tests.clients.official import Client

Calls = list[tuple[str, dict[str, Any], Any]]

_TENANT = {"type": "tenant", "id": "org-123"}
_ASKED = {"kind": "tenant", "name": "org-123"}
_GONE = 404

#: Sequences of calls in their order, each with the expected result (a status if it is refused).
STORIES: list[Any] = [
    pytest.param(
        [
            ("contexts.create", {"body": _TENANT}, {**_TENANT, "data": {}}),
            ("contexts.retrieve", _ASKED, {**_TENANT, "data": {}}),
            ("contexts.update", {**_ASKED, "body": {"data": {"plan": "gold"}}}, {"data": {"plan": "gold"}}),
            ("contexts.update", {**_ASKED, "body": {"data": {"seats": 5}}}, {"data": {"seats": 5}}),
            ("contexts.retrieve", _ASKED, {"data": {"seats": 5}}),
            ("contexts.delete", _ASKED, None),
            ("contexts.retrieve", _ASKED, _GONE),
        ],
        id="a context's life",
    ),
    pytest.param(
        [
            ("connections.create", {"body": connection(context={"tenant": {"id": "org-123", "data": {"a": 1}}})}, {}),
            ("contexts.retrieve", _ASKED, {"data": {"a": 1}}),
            (
                "connections.create",
                {"body": connection(subscriberId="b", context={"tenant": {"id": "org-123", "data": {"a": 2}}})},
                {},
            ),
            ("contexts.retrieve", _ASKED, {"data": {"a": 1}}),
            ("contexts.delete", _ASKED, 409),
        ],
        id="a context that a connection made and holds",
    ),
    pytest.param(
        [
            ("subscribers.create", {"body": {"subscriberId": "bea", "firstName": "Bea"}}, {"firstName": "Bea"}),
            (
                "subscribers.retrieve",
                {"subscriber": "bea"},
                {"subscriberId": "bea", "firstName": "Bea", "deleted": False},
            ),
            ("subscribers.create", {"body": {"subscriberId": "bea", "lastName": "Ng"}}, {"lastName": "Ng"}),
            (
                "subscribers.patch",
                {"subscriber": "bea", "body": {"email": "bea@northwind.test", "data": {"a": 1}}},
                {"firstName": "Bea", "email": "bea@northwind.test", "data": {"a": 1}},
            ),
            ("subscribers.delete", {"subscriber": "bea"}, {"acknowledged": True, "status": "deleted"}),
            ("subscribers.retrieve", {"subscriber": "bea"}, _GONE),
        ],
        id="a subscriber's life",
    ),
    pytest.param(
        [
            ("connections.create", {"body": connection(subscriberId="bea")}, {}),
            ("subscribers.retrieve", {"subscriber": "bea"}, {"subscriberId": "bea"}),
        ],
        id="a subscriber that a connection created",
    ),
    pytest.param(
        [
            ("connections.create", {"body": connection(identifier="hers")}, {}),
            (
                "endpoints.create",
                {"body": endpoint(identifier="news", connectionIdentifier="hers")},
                {
                    "identifier": "news",
                    "channel": "chat",
                    "providerId": "slack",
                    "integrationIdentifier": "slack-prod",
                    "connectionIdentifier": "hers",
                    "subscriberId": "bea",
                    "contextKeys": [],
                    "type": "slack_channel",
                    "endpoint": {"channelId": "C024BE91L"},
                },
            ),
            (
                "endpoints.update",
                {"identifier": "news", "body": {"endpoint": {"channelId": "C2"}}},
                {"identifier": "news"},
            ),
            ("endpoints.retrieve", {"identifier": "news"}, {"endpoint": {"channelId": "C2"}}),
            ("endpoints.delete", {"identifier": "news"}, None),
            ("endpoints.retrieve", {"identifier": "news"}, _GONE),
        ],
        id="a channel's life",
    ),
    pytest.param(
        [
            ("connections.create", {"body": connection(identifier="hers")}, {}),
            ("endpoints.create", {"body": endpoint(identifier="news", connectionIdentifier="hers")}, {}),
            ("connections.delete", {"identifier": "hers"}, None),
            ("endpoints.retrieve", {"identifier": "news"}, _GONE),
        ],
        id="a channel goes with its connection",
    ),
    pytest.param(
        [
            ("endpoints.create", {"body": endpoint(createSubscriberIfMissing=True)}, {"connectionIdentifier": None}),
            (
                "endpoints.create",
                {"body": endpoint(type="slack_user", endpoint={"userId": "U1"})},
                {"type": "slack_user", "endpoint": {"userId": "U1"}},
            ),
            (
                "endpoints.create",
                {"body": endpoint(type="webhook", endpoint={"url": "https://hooks.slack.test/x", "channel": "news"})},
                {"type": "webhook", "endpoint": {"url": "https://hooks.slack.test/x", "channel": "news"}},
            ),
            (
                "endpoints.create",
                {"body": endpoint(context={"tenant": "org-123"})},
                {"contextKeys": ["tenant:org-123"], "endpoint": {"channelId": "C024BE91L"}},
            ),
        ],
        id="every type of channel",
    ),
    pytest.param(
        [
            (
                "integrations.list",
                {},
                [
                    {"identifier": name, "providerId": "slack", "channel": "chat", "active": True, "deleted": False}
                    for name in ("slack-practice", "slack-prod")
                ],
            ),
            ("integrations.list_active", {}, [{"identifier": "slack-practice"}, {"identifier": "slack-prod"}]),
        ],
        id="integrations",
    ),
]


@pytest.mark.parametrize("calls", STORIES)
def test_sequence_of_calls_returns_the_expected_results(novu: Client, calls: Calls) -> None:
    for call, given, expected in calls:
        answer = novu(call, **given)
        if isinstance(expected, int):
            assert (call, answer.error, answer.status) == (call, "ErrorDto", expected)
        else:
            assert answer.error is None, (call, answer)
            assert within(_sorted(answer.result), expected), (call, answer.result)


def test_subscriber_that_exists_is_refused_where_that_is_asked(novu: Client) -> None:
    body = {"subscriberId": "bea", "firstName": "Bea"}
    assert novu("subscribers.create", body=body).error is None
    refused = novu("subscribers.create", body={"subscriberId": "bea", "firstName": "B"}, strict=True)
    assert (refused.status, refused.body["subscriberId"]) == (409, "bea")
    assert novu("subscribers.retrieve", subscriber="bea").result["firstName"] == "Bea"


#: A list, the calls that create three rows in it, and the member that identifies a row.
LISTS: list[Any] = [
    pytest.param(
        "contexts.list", "contexts.create", [{"type": "tenant", "id": name} for name in "abc"], "id", id="contexts"
    ),
    pytest.param(
        "subscribers.search",
        "subscribers.create",
        [{"subscriberId": name} for name in "abc"],
        "subscriberId",
        id="subscribers",
    ),
    pytest.param(
        "endpoints.list",
        "endpoints.create",
        [endpoint(identifier=name, createSubscriberIfMissing=True) for name in "abc"],
        "identifier",
        id="channels",
    ),
]


@pytest.mark.parametrize(("listing", "creating", "bodies", "member"), LISTS)
def test_other_lists_have_pages_too(novu: Client, listing: str, creating: str, bodies: list[Any], member: str) -> None:
    for body in bodies:
        assert novu(creating, body=body).error is None
    first = novu(listing, query={"limit": 2, "orderDirection": "ASC"}).result
    second = novu(listing, query={"limit": 2, "orderDirection": "ASC", "after": first["next"]}).result
    back = novu(listing, query={"limit": 2, "orderDirection": "ASC", "before": second["previous"]}).result
    assert [[one[member] for one in page["data"]] for page in (first, second, back)] == [["a", "b"], ["c"], ["a", "b"]]
    assert (first["previous"], second["next"], first["totalCount"]) == (None, None, 3)
    assert [one[member] for one in novu(listing, query={}).result["data"]] == ["c", "b", "a"]


#: The list, its query, and the expected rows, oldest first, after the bodies were created.
NARROWED: list[Any] = [
    pytest.param("contexts.list", {"id": "org-123"}, ["tenant:org-123"], id="contexts by id"),
    pytest.param("contexts.list", {"search": "REGION:us"}, ["region:us-east-1"], id="contexts by part"),
    pytest.param("contexts.list", {"search": "nowhere"}, [], id="contexts that are not there"),
    pytest.param("subscribers.search", {"subscriberId": "bea"}, ["bea"], id="subscribers by id"),
    pytest.param("subscribers.search", {"email": "bea@northwind.test"}, ["bea"], id="subscribers by email"),
    pytest.param("subscribers.search", {"phone": "+4930123"}, ["cy"], id="subscribers by phone"),
    pytest.param("subscribers.search", {"name": "Bea"}, ["bea"], id="subscribers by name"),
    pytest.param("endpoints.list", {"subscriberId": "bea"}, ["news", "direct"], id="channels by subscriber"),
    pytest.param("endpoints.list", {"connectionIdentifier": "hers"}, ["news"], id="channels by connection"),
    pytest.param("endpoints.list", {"integrationIdentifier": "slack-practice"}, [], id="channels by integration"),
    pytest.param("endpoints.list", {"contextKeys": ["tenant:org-123"]}, ["team"], id="channels by context"),
    pytest.param("endpoints.list", {"contextKeys": [""]}, ["news", "direct"], id="channels without context"),
    pytest.param(
        "endpoints.list",
        {"channel": "chat", "providerId": "slack"},
        ["news", "direct", "team"],
        id="channels by provider",
    ),
]


@pytest.fixture(scope="module")
def standing_shop(standing_shop: Site) -> Site:
    fill(
        standing_shop,
        ("/v2/contexts", {"type": "tenant", "id": "org-123"}),
        ("/v2/contexts", {"type": "region", "id": "us-east-1"}),
        ("/v2/subscribers", {"subscriberId": "bea", "firstName": "Bea", "email": "bea@northwind.test"}),
        ("/v2/subscribers", {"subscriberId": "cy", "firstName": "Cy", "phone": "+4930123"}),
        ("/v1/channel-connections", connection(identifier="hers")),
        ("/v1/channel-endpoints", endpoint(identifier="news", connectionIdentifier="hers")),
        ("/v1/channel-endpoints", endpoint(identifier="direct", type="slack_user", endpoint={"userId": "U1"})),
        ("/v1/channel-endpoints", endpoint(identifier="team", subscriberId="cy", context={"tenant": "org-123"})),
    )
    return standing_shop


@pytest.mark.parametrize(("listing", "query", "expected"), NARROWED)
def test_other_lists_are_narrowed(standing_novu: Client, listing: str, query: Any, expected: list[str]) -> None:
    found = standing_novu(listing, query={**query, "orderDirection": "ASC"}).result["data"]
    assert [_name(one) for one in found] == expected


#: The call and its body: an address for one person.
ADDRESSES: list[Any] = [
    pytest.param("integrations.connect_url", {"subscriberId": "bea"}, id="a subscriber"),
    pytest.param(
        "integrations.connect_url", {"connectionMode": "shared", "context": {"tenant": "org-123"}}, id="shared"
    ),
    pytest.param("integrations.connect_url", {"subscriberId": "bea", "autoLinkUser": True}, id="a linked user"),
    pytest.param("integrations.connect_url", {"subscriberId": "bea", "scope": ["chat:write"]}, id="scopes"),
    pytest.param("integrations.chat_url", {"subscriberId": "bea", "mode": "connect"}, id="under its older name"),
]


# The Python client warns about the older name.
@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
@pytest.mark.parametrize(("call", "body"), ADDRESSES)
def test_install_url_leads_to_a_connection(novu: Client, shop: Site, call: str, body: dict[str, Any]) -> None:
    asked = {"integrationIdentifier": "slack-prod", "connectionIdentifier": "mine", **body}
    url = novu(call, body=asked).result["url"]
    assert url.startswith(f"{shop.settings.origin}/connect/")
    with BrowserClient(shop) as bea:
        assert bea.connects(url).outcome == "connected"
    made = novu("connections.retrieve", identifier="mine").result
    assert (made["subscriberId"], made["contextKeys"]) == (
        body.get("subscriberId"),
        [":".join(one) for one in body.get("context", {}).items()],
    )


def _sorted(result: Any) -> Any:
    return sorted(result, key=_name) if isinstance(result, list) else result


def _name(row: dict[str, Any]) -> str:
    if "type" in row and "id" in row:
        return f"{row['type']}:{row['id']}"
    return str(row.get("identifier") or row["subscriberId"])
