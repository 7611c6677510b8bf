"""Every combination of filters, orders and cursors of the list, compared with a list that Python filters."""

import itertools
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Program
from tests.examples import examples

pytestmark = pytest.mark.slow

LIST = "/v1/channel-connections"
APPS, SUBSCRIBERS, WORKSPACES = ("slack-prod", "slack-two"), ("ada", "bea", "Ünal"), ("T1", "T2")
CONTEXTS: tuple[dict[str, str], ...] = ({}, {"tenant": "acme"}, {"tenant": "acme", "region": "eu"})
NAMES = ("Acme HQ", "acme", "Bea & Sons", "Über", None)


@pytest.fixture(scope="module")
def rows(standing: Program) -> list[dict[str, Any]]:
    """Return the rows as the API returned them, oldest first. Half of them were changed later, in another order."""
    standing.site.add_practice_app("slack-two", "Two", "Development")
    names = itertools.cycle(NAMES)
    for number, (app, person, context) in enumerate(itertools.product(APPS, (*SUBSCRIBERS, None), CONTEXTS)):
        if person is None and not context:
            continue
        workspace = {"id": WORKSPACES[number % 2], "name": next(names)}
        mode = "subscriber" if person else "shared"
        answer = standing.creates(
            identifier=f"c{number}", integrationIdentifier=app, subscriberId=person, connectionMode=mode,
            context=context or None, workspace={name: value for name, value in workspace.items() if value},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
    for number in (7, 3, 11, 0, 20):
        changed = {"workspace": {"id": "T1", "name": "Acme HQ"}, "auth": {"accessToken": "x"}}
        assert standing.asks("PATCH", f"{LIST}/c{number}", changed).status_code == 200
        assert standing.asks("POST", f"{LIST}/c{number}/verify").status_code == 200
    return list(standing.asks("GET", f"{LIST}?limit=100&orderDirection=ASC").json()["data"])


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


_CURSORS = {"next": "after", "previous": "before"}
FILTERS = st.fixed_dictionaries(
    {
        "subscriberId": maybe(*SUBSCRIBERS, "nobody"),
        "connectionMode": maybe("subscriber", "shared"),
        "integrationIdentifier": maybe(*APPS, "none-such"),
        "workspaceId": maybe(*WORKSPACES, "T9"),
        "status": maybe("unknown", "needs_reconnect", "healthy"),
        "contextKeys": maybe(*(tuple(f"{kind}:{name}" for kind, name in one.items()) for one in CONTEXTS)),
        "search": maybe("acme", "ÜBER", "bea", "c1", "T2", "Ünal", "zzz", "tenant", "acme bea", "c1 t2", "%"),
    }
)
ORDERS = st.fixed_dictionaries(
    {"orderBy": maybe("createdAt", "updatedAt"), "orderDirection": maybe("ASC", "DESC"), "limit": st.integers(1, 9)}
)


@settings(
    max_examples=examples(80), derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(filters=FILTERS, order=ORDERS)
def test_list_equals_the_list_filtered_in_python(
    filters: dict[str, Any], order: dict[str, Any], rows: list[dict[str, Any]], standing: Program
) -> None:
    expected = [one["identifier"] for one in _ordered([one for one in rows if _fits(one, filters)], order)]
    query = _query({**filters, **order})
    there, last = _walk(standing, query, "next")
    assert [name for page in there for name in page] == expected
    size = order["limit"]
    assert [len(page) for page in there[:-1]] == [size] * (len(there) - 1)
    if len(there) > 1:
        back, _ = _walk(standing, query, "previous", f"&before={last}")
        assert back[::-1] == there[:-1]


def _fits(one: dict[str, Any], filters: dict[str, Any]) -> bool:
    asked = {name: value for name, value in filters.items() if value is not None}
    subscriber, mode = asked.get("subscriberId"), asked.get("connectionMode")
    checks = [
        mode is None or one["connectionMode"] == mode,
        subscriber is None or one["connectionMode"] == "shared" or one["subscriberId"] == subscriber,
        asked.get("integrationIdentifier") in (None, one["integrationIdentifier"]),
        asked.get("workspaceId") in (None, one["workspace"]["id"]),
        asked.get("status") in (None, one["status"]),
        "contextKeys" not in asked or sorted(asked["contextKeys"]) == sorted(one["contextKeys"]),
        "search" not in asked or _is_met(one, asked["search"]),
    ]
    return all(checks)


def _is_met(one: dict[str, Any], text: str) -> bool:
    """Return whether each word of the text begins a word of the connection."""
    texts = [one["workspace"].get("name"), one["workspace"]["id"], one.get("subscriberId"), one["identifier"]]
    words = _words(" ".join([text or "" for text in texts] + one["contextKeys"]))
    asked = _words(text)
    return bool(asked) and all(any(word.startswith(begin) for word in words) for begin in asked)


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()


def _ordered(found: list[dict[str, Any]], order: dict[str, Any]) -> list[dict[str, Any]]:
    by = order["orderBy"] or "createdAt"
    return sorted(found, key=lambda one: one[by], reverse=order["orderDirection"] != "ASC")


def _query(asked: dict[str, Any]) -> str:
    pairs = [(name, value) for name, value in asked.items() if value is not None]
    flat = [(name, one) for name, value in pairs for one in (value or ("",) if isinstance(value, tuple) else (value,))]
    return "&".join(f"{name}={quote(str(value))}" for name, value in flat)


def _walk(program: Program, query: str, on: str, cursor: str = "") -> tuple[list[list[str]], str | None]:
    """Return the pages' identifiers, and the cursor `previous` of the last one. `on`: `next` or `previous`."""
    pages, totals = [], set()
    while True:
        answer = program.asks("GET", f"{LIST}?{query}{cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append([one["identifier"] for one in page["data"]])
        totals.add((page["totalCount"], page["totalCountCapped"]))
        if page[on] is None:
            assert len(totals) == 1
            return pages, page["previous"]
        cursor = f"&{_CURSORS[on]}={page[on]}"
