"""Requests that are sent to both apps, and the filters that the reference page documents."""

import json
from dataclasses import dataclass
from urllib.parse import quote

from tools.bench import spread

API, PAGE = "/v1/channel-connections", "/connections"
#: So few that all have been read once before the measurement: the first read of each hour writes to the audit.
_SAMPLE = 100


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    #: Each request uses one of them.
    targets: tuple[str, ...]
    #: `{n}` in it is replaced with a number that no other request has.
    body: str | None = None
    expected: int = 200
    #: Sent by a signed-in operator, not with an API key.
    is_page: bool = False
    #: The first request for each target writes to the audit.
    is_noted: bool = False
    #: The headers of each target, instead of those of an API key.
    own_headers: tuple[dict[str, str], ...] = ()


CREATE = Operation(
    "create",
    "POST",
    (API,),
    body=json.dumps(
        {
            "integrationIdentifier": "slack-prod",
            "subscriberId": "new-subscriber-{n}",
            "context": {"tenant": "org-123", "region": "us-east-1"},
            "workspace": {"id": "T{n}", "name": "Acme HQ"},
            "auth": {"accessToken": "Workspace access token"},
        }
    ),
    expected=201,
)
LIST = Operation("list of 10", "GET", (f"{API}?limit=10",))
LIST_100 = Operation("list of 100", "GET", (f"{API}?limit=100",))
HTML = Operation("page of 25 as HTML", "GET", (PAGE,), is_page=True)


def retrieve(rows: int) -> Operation:
    numbers = range(0, rows, max(1, rows // _SAMPLE))
    targets = tuple(f"{API}/{spread.identifier(number)}" for number in numbers)
    return Operation("retrieve", "GET", targets, is_noted=True)


def filters(rows: int) -> list[Operation]:
    """Return each documented filter, with the values that a customer of a large installation would use."""
    some = [spread.fact(number, rows) for number in range(0, rows, max(1, rows // 50))]
    subscribers = [fact.subscriber_id for fact in some if fact.subscriber_id]
    return [
        _filtered("integrationIdentifier", ["integrationIdentifier=slack-eu"]),
        _filtered("subscriberId", [f"subscriberId={one}" for one in subscribers]),
        _filtered("subscriberId, own only", [f"subscriberId={one}&connectionMode=subscriber" for one in subscribers]),
        _filtered("connectionMode", ["connectionMode=shared"]),
        _filtered(
            "contextKeys",
            ["&".join(f"contextKeys={quote(key)}" for key in fact.context_keys) for fact in some if fact.context_keys],
        ),
        _filtered("contextKeys, none", ["contextKeys="]),
        _filtered("workspaceId", [f"workspaceId={fact.workspace_id}" for fact in some]),
        _filtered("status", ["status=needs_reconnect", "status=disconnected"]),
        _filtered("orderBy updatedAt ASC", ["orderBy=updatedAt&orderDirection=ASC"]),
    ]


def search() -> Operation:
    """Return searches for a rare name, a common one, and one that does not occur."""
    return _filtered(
        "search by name", [f"search={word}" for word in (spread.RARE_WORD.lower(), "acme", "acme%20b", "nobody")]
    )


def filtered_page() -> Operation:
    """Return filters and an order of the console's list, each with a full page in every size."""
    queries = ("status=unknown", "mode=shared", "integration=slack-eu", "context=tenant:large-0", "sort=workspace")
    return _page("filtered page of 25 as HTML", queries)


def searched_page() -> Operation:
    """Return searches of the console's list, each with a full page in every size."""
    return _page("search as HTML, page of 25", ("q=acme", "q=kestrel", "q=Labs", "q=design", "q=bak"))


def any_searched_page() -> Operation:
    """Return the searches of `search` in the console's list."""
    words = (spread.RARE_WORD.lower(), "acme", "acme%20b", "nobody")
    return _page("search as HTML", tuple(f"q={word}" for word in words))


def _page(name: str, queries: tuple[str, ...]) -> Operation:
    return Operation(name, "GET", tuple(f"{PAGE}?{query}" for query in queries), is_page=True)


def _filtered(name: str, queries: list[str]) -> Operation:
    return Operation(name, "GET", tuple(f"{API}?limit=10&{query}" for query in queries))
