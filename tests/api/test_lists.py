"""The list of connections: filters, orders, and cursors that skip nothing and repeat nothing."""

import base64
import hashlib
import random
from collections.abc import Callable

import pytest

from tests.api.conftest import Program
from tests.browser_client import Site

LIST = "/v1/channel-connections"


@pytest.fixture
def filled(site: Site, program: Program) -> Program:
    """Create connections named after their owners: a subscriber's, with and without context, and two shared ones."""
    site.add_practice_app("slack-two", "Two", "Development")
    for members in (
        {"identifier": "ada-plain"},
        {"identifier": "ada-acme", "context": {"tenant": "acme"}},
        {"identifier": "ada-acme-eu", "context": {"tenant": "acme", "region": "eu"}},
        {"identifier": "bea-acme", "subscriberId": "bea", "context": {"tenant": "acme"}, "workspace": {"id": "T2"}},
        {"identifier": "all-acme", "connectionMode": "shared", "context": {"tenant": "acme"}},
        {"identifier": "all-eu", "connectionMode": "shared", "context": {"region": "eu", "tenant": "acme"}},
        {"identifier": "two", "integrationIdentifier": "slack-two", "workspace": {"id": "T3", "name": "Zeta 100% Ü"}},
    ):
        assert program.creates(**members).status_code == 201
    return program


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "two all-eu all-acme bea-acme ada-acme-eu ada-acme ada-plain"),
        ("orderDirection=ASC&limit=2", "ada-plain ada-acme"),
        ("subscriberId=ada", "two all-eu all-acme ada-acme-eu ada-acme ada-plain"),
        ("subscriberId=ada&connectionMode=subscriber", "two ada-acme-eu ada-acme ada-plain"),
        ("subscriberId=ada&connectionMode=shared", "all-eu all-acme"),
        ("connectionMode=shared", "all-eu all-acme"),
        ("connectionMode=subscriber&limit=1", "two"),
        ("channel=chat&limit=1", "two"),
        ("channel=email", ""),
        ("providerId=slack&limit=1", "two"),
        ("providerId=sendgrid", ""),
        ("integrationIdentifier=slack-two", "two"),
        ("integrationIdentifier=nobody", ""),
        ("contextKeys=tenant:acme", "all-acme bea-acme ada-acme"),
        ("contextKeys=region:eu&contextKeys=tenant:acme", "all-eu ada-acme-eu"),
        ("contextKeys=tenant:acme&contextKeys=region:eu&subscriberId=ada", "all-eu ada-acme-eu"),
        ("contextKeys=", "two ada-plain"),
        ("workspaceId=T2", "bea-acme"),
        ("status=unknown&limit=1", "two"),
        ("status=healthy", ""),
        ("search=ACME", "all-eu all-acme bea-acme ada-acme-eu ada-acme ada-plain"),
        ("search=hq", "all-eu all-acme ada-acme-eu ada-acme ada-plain"),
        ("search=region", "all-eu ada-acme-eu"),
        ("search=eu%20ada", "ada-acme-eu"),
        ("search=ada-acme", "ada-acme-eu ada-acme ada-plain"),
        ("search=bea", "bea-acme"),
        ("search=T3", "two"),
        ("search=zeta 100%25 %C3%BC", "two"),
        ("search=%25", ""),
        ("search=acme&subscriberId=ada&connectionMode=subscriber", "ada-acme-eu ada-acme ada-plain"),
        ("limit=10.0&subscriberId=nobody", "all-eu all-acme"),
    ],
)
def test_filter_finds_the_matching_connections(query: str, found: str, filled: Program) -> None:
    answer = filled.asks("GET", f"{LIST}?{query}").json()
    assert [one["identifier"] for one in answer["data"]] == found.split()
    if "limit" not in query:
        assert answer["totalCount"] == len(found.split())
    assert answer["totalCountCapped"] is False


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.5", "limit"),
        ("limit=x", "limit"),
        ("limit=5&limit=6", "limit"),
        ("orderBy=name", "orderBy"),
        ("orderDirection=up", "orderDirection"),
        ("connectionMode=both", "connectionMode"),
        ("providerId=skype", "providerId"),
        ("channel=fax", "channel"),
        ("status=well", "status"),
        ("includeCursor=maybe", "includeCursor"),
        ("search=%00", "search"),
    ],
)
def test_invalid_query_names_its_field(query: str, field: str, program: Program) -> None:
    answer = program.asks("GET", f"{LIST}?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_cursor_of_another_list_is_refused(site: Site, filled: Program, make_program: Callable[..., Program]) -> None:
    cursor = filled.asks("GET", f"{LIST}?limit=1").json()["next"]
    site.add_environment("Production")
    other = make_program(environment="Production")
    for asker, query in (
        (other, f"after={cursor}"),
        (filled, f"orderBy=updatedAt&after={cursor}"),
        (filled, f"orderDirection=ASC&after={cursor}"),
        (filled, f"after={cursor[:-1]}"),
        (filled, f"after={cursor[1:]}"),
        *(
            (filled, f"after={_made_up(site, cursor_text)}")
            for cursor_text in ("x", "no|time|z", "0001-01-01T00:00:00+23:59||a")
        ),
        (filled, "before=x"),
        (filled, "before=x&channel=email"),
    ):
        answer = asker.asks("GET", f"{LIST}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_unknown")


def _made_up(site: Site, cursor_text: str) -> str:
    """Return a cursor as a caller forges one who has read the source."""
    of = f"connections {site.runtime.environments.first().id} created_at DESC"
    mark = hashlib.sha256(f"{of}|{cursor_text}".encode()).hexdigest()[:16]
    return base64.urlsafe_b64encode(f"{mark}|{cursor_text}".encode()).decode().rstrip("=")


def test_cursor_includes_its_own_row_when_asked(filled: Program) -> None:
    cursor = filled.asks("GET", f"{LIST}?limit=2").json()["next"]
    assert filled.lists(f"limit=2&after={cursor}") == ["all-acme", "bea-acme"]
    assert filled.lists(f"limit=2&after={cursor}&includeCursor=true") == ["all-eu", "all-acme"]


def test_order_by_change_follows_changes(filled: Program) -> None:
    filled.asks("PATCH", f"{LIST}/ada-plain", {"workspace": {"id": "T1"}, "auth": {"accessToken": "x"}})
    assert filled.lists("orderBy=updatedAt&limit=2") == ["ada-plain", "two"]
    assert filled.lists("orderBy=updatedAt&orderDirection=ASC&limit=1") == ["ada-acme"]


@pytest.mark.parametrize("direction", ["DESC", "ASC"])
def test_walk_to_the_end_and_back_returns_each_connection_once(direction: str, filled: Program) -> None:
    base = f"limit=3&orderDirection={direction}&subscriberId=ada"
    there, back = _walk(filled, base, "next", "after"), _walk(filled, base, "previous", "before")
    assert [name for page in there for name in page] == filled.lists(f"orderDirection={direction}&subscriberId=ada")
    assert back[::-1] == there[:-1]


def test_walk_returns_every_unchanged_connection_while_others_change(program: Program) -> None:
    """Rows behind the cursor are deleted, new ones are created: none is skipped, none is repeated."""
    dice = random.Random(7)  # noqa: S311  # the same walk each time
    names = [f"c{number:02d}" for number in range(30)]
    for name in names:
        program.creates(identifier=name, subscriberId=name)
    for direction in ("DESC", "ASC"):
        seen: list[str] = []
        gone: set[str] = set()
        cursor, fresh = "", 0
        while True:
            query = f"limit={dice.randint(1, 4)}&orderDirection={direction}" + (f"&after={cursor}" if cursor else "")
            page = program.asks("GET", f"{LIST}?{query}").json()
            seen += [one["identifier"] for one in page["data"]]
            staying = sorted(set(names) - gone)
            for name in (dice.choice(staying), seen[-1]) if len(staying) > 12 else ():
                if name in names and program.asks("DELETE", f"{LIST}/{name}").status_code == 204:
                    gone.add(name)
            fresh += 1
            made = f"new-{direction}-{fresh}"
            program.creates(identifier=made, subscriberId=made)
            if page["next"] is None or fresh > 40:
                break
            cursor = page["next"]
        assert len(seen) == len(set(seen))
        assert set(names) - gone <= set(seen)
        names = sorted(set(names) - gone)


def test_first_and_last_page_have_no_further_cursor(filled: Program) -> None:
    first = filled.asks("GET", f"{LIST}?limit=4").json()
    assert (first["previous"], first["next"] is None) == (None, False)
    last = filled.asks("GET", f"{LIST}?limit=4&after={first['next']}").json()
    assert (last["next"], last["previous"] is None) == (None, False)
    again = filled.asks("GET", f"{LIST}?limit=4&before={last['previous']}").json()
    assert again["data"] == first["data"]
    assert again["previous"] is None
    assert again["next"] is not None
    for name in ("two", "all-eu", "all-acme", "bea-acme"):
        filled.asks("DELETE", f"{LIST}/{name}")
    assert filled.asks("GET", f"{LIST}?limit=4&after={first['next']}").json()["previous"] is None


def _walk(program: Program, base: str, member: str, parameter: str) -> list[list[str]]:
    """Return the pages in one direction; backward from the last page, which is not included."""
    pages: list[list[str]] = []
    page = program.asks("GET", f"{LIST}?{base}").json()
    if member == "previous":
        while page["next"]:
            page = program.asks("GET", f"{LIST}?{base}&after={page['next']}").json()
        page = program.asks("GET", f"{LIST}?{base}&before={page['previous']}").json()
    while True:
        pages.append([one["identifier"] for one in page["data"]])
        if page[member] is None:
            return pages
        page = program.asks("GET", f"{LIST}?{base}&{parameter}={page[member]}").json()


@pytest.mark.parametrize("address", [LIST, "/v1/channel-endpoints"])
def test_filters_accept_the_parameters_of_the_page_and_the_official_client(address: str, filled: Program) -> None:
    clients = "anypost ruach-sms webex-messaging line sendblue novu-web-chat pagerduty opsgenie grafana tool-webhook"
    for query in ("channel=tool", *(f"providerId={provider}" for provider in clients.split())):
        response = filled.asks("GET", f"{address}?{query}")
        assert (response.status_code, response.json()["data"]) == (200, []), query
