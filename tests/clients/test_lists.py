"""The list of connections through both official clients: every filter, both orders, cursors to the end and back."""

from typing import Any

import pytest

from tests.browser_client import Site
from tests.clients.bodies import connection
from tests.clients.conftest import fill
from tests.clients.official import Client

#: Created in this order.
CONNECTIONS = [
    connection(identifier="ada", subscriberId="ada"),
    connection(identifier="bea", subscriberId="bea"),
    connection(identifier="bea-tenant", subscriberId="bea", context={"tenant": "org-123"}),
    connection(identifier="bea-both", subscriberId="bea", context={"tenant": "org-123", "region": "us-east-1"}),
    connection(identifier="shared", context={"tenant": "org-123"}),
    connection(identifier="shared-both", context={"region": "us-east-1", "tenant": "org-123"}),
    connection(identifier="practice", subscriberId="bea", integrationIdentifier="slack-practice"),
]
ALL = [one["identifier"] for one in CONNECTIONS]
SHARED = ["shared", "shared-both"]
BEAS = ["bea", "bea-tenant", "bea-both", "practice"]

#: The query, and the connections found: oldest first.
FILTERS: list[Any] = [
    pytest.param({}, ALL, id="nothing asked"),
    pytest.param({"subscriberId": "bea"}, ["bea", "bea-tenant", "bea-both", *SHARED, "practice"], id="subscriber"),
    pytest.param({"subscriberId": "bea", "connectionMode": "subscriber"}, BEAS, id="only the subscriber's own"),
    pytest.param({"subscriberId": "bea", "connectionMode": "shared"}, SHARED, id="only the shared of a subscriber"),
    pytest.param({"subscriberId": "nobody"}, SHARED, id="unknown subscriber"),
    pytest.param({"connectionMode": "subscriber"}, ["ada", *BEAS], id="all subscribers"),
    pytest.param({"connectionMode": "shared"}, SHARED, id="all shared"),
    pytest.param({"channel": "chat"}, ALL, id="channel"),
    pytest.param({"channel": "email"}, [], id="another channel"),
    pytest.param({"providerId": "slack"}, ALL, id="provider"),
    pytest.param({"providerId": "twilio"}, [], id="another provider"),
    pytest.param({"integrationIdentifier": "slack-practice"}, ["practice"], id="integration"),
    pytest.param({"integrationIdentifier": "none"}, [], id="unknown integration"),
    pytest.param({"contextKeys": ["tenant:org-123"]}, ["bea-tenant", "shared"], id="exact context"),
    pytest.param(
        {"contextKeys": ["region:us-east-1", "tenant:org-123"]}, ["bea-both", "shared-both"], id="contexts in any order"
    ),
    pytest.param({"contextKeys": [""]}, ["ada", "bea", "practice"], id="without context"),
    pytest.param({"contextKeys": ["region:us-east-1"]}, [], id="a part of the contexts"),
    pytest.param(
        {"subscriberId": "bea", "contextKeys": ["tenant:org-123"]},
        ["bea-tenant", "shared"],
        id="subscriber and context",
    ),
    pytest.param(
        {"contextKeys": ["tenant:org-123"], "connectionMode": "shared", "integrationIdentifier": "slack-prod"},
        ["shared"],
        id="three filters",
    ),
]


MADE = [("/v1/channel-connections", body) for body in CONNECTIONS]


@pytest.fixture(scope="module")
def standing_shop(standing_shop: Site) -> Site:
    fill(standing_shop, *MADE)
    return standing_shop


@pytest.fixture
def filled(novu: Client, shop: Site) -> Client:
    """Create the same rows, for tests that change them."""
    fill(shop, *MADE)
    return novu


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filter_finds_and_counts_the_matching_connections(
    standing_novu: Client, query: dict[str, Any], expected: list[str]
) -> None:
    page = _page(standing_novu, **query, orderDirection="ASC")
    assert _names(page) == expected
    assert (page["totalCount"], page["totalCountCapped"]) == (len(expected), False)
    assert _names(_page(standing_novu, **query)) == expected[::-1]


def test_list_is_newest_first_with_ten_rows_by_default(filled: Client) -> None:
    for number in range(5):
        filled("connections.create", body=connection(identifier=f"more-{number}", subscriberId=f"more-{number}"))
    page = _page(filled)
    assert _names(page) == ["more-4", "more-3", "more-2", "more-1", "more-0", *ALL[:1:-1]]
    assert page["totalCount"] == 12


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("order", ["createdAt", "updatedAt"])
def test_cursors_lead_to_the_end_and_back(filled: Client, order: str, direction: str) -> None:
    _touch(filled, "bea")
    expected = [one for one in ALL if one != "bea"] + ["bea"] if order == "updatedAt" else ALL
    expected = expected if direction == "ASC" else expected[::-1]
    asked = {"limit": 3, "orderBy": order, "orderDirection": direction}
    pages = [_page(filled, **asked)]
    while cursor := pages[-1]["next"]:
        pages.append(_page(filled, **asked, after=cursor))
    assert [_names(page) for page in pages] == [expected[:3], expected[3:6], expected[6:]]
    back = [pages[-1]]
    while cursor := back[-1]["previous"]:
        back.append(_page(filled, **asked, before=cursor))
    assert [_names(page) for page in back] == [expected[6:], expected[3:6], expected[:3]]
    assert pages[0]["previous"] is None


def test_cursor_can_be_included(standing_novu: Client) -> None:
    cursor = _page(standing_novu, limit=2)["next"]
    without = _page(standing_novu, limit=2, after=cursor)
    included = _page(standing_novu, limit=3, after=cursor, includeCursor=True)
    assert _names(included) == [ALL[-2], *_names(without)]


def test_cursor_keeps_its_position_when_rows_are_deleted_and_created(filled: Client) -> None:
    first = _page(filled, limit=3)
    filled("connections.delete", identifier=_names(first)[-1])
    filled("connections.create", body=connection(identifier="newest", subscriberId="newest"))
    assert _names(_page(filled, limit=100, after=first["next"])) == ALL[::-1][3:]


def _touch(novu: Client, identifier: str) -> None:
    body = {"workspace": {"id": "T9"}, "auth": {"accessToken": "renewed"}}
    assert novu("connections.update", identifier=identifier, body=body).error is None


def _page(novu: Client, **query: Any) -> dict[str, Any]:
    answer = novu("connections.list", query=query)
    assert answer.error is None, answer
    page: dict[str, Any] = answer.result
    return page


def _names(page: dict[str, Any]) -> list[str]:
    return [one["identifier"] for one in page["data"]]
