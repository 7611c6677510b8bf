"""Environments never mix: whatever a key of one asks, it sees nothing of another and changes nothing there."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from onboarding.store.schema import METADATA
from tests.api.conftest import INTEGRATION, Program, connection
from tests.conftest import Clock, copied, sites
from tests.people import Site

pytestmark = pytest.mark.slow

CONNECTIONS, ENDPOINTS, CONTEXTS, SUBSCRIBERS = (
    "/v1/channel-connections", "/v1/channel-endpoints", "/v2/contexts", "/v2/subscribers",
)  # fmt: skip
LISTS = (CONNECTIONS, ENDPOINTS, CONTEXTS, SUBSCRIBERS, "/v1/integrations", "/v1/integrations/active")
OURS, THEIRS = "Development", "Production"

#: The same names stand in both environments, and one of each that only they have.
NAMES = {
    "identifier": ("both", "only-theirs"),
    "subscriber_id": ("ada", "only-theirs"),
    "type": ("tenant", "plan"),
    "id": ("acme", "only-theirs"),
}
#: What lists are narrowed by; `{theirs}` is a cursor of theirs.
QUERIES: tuple[dict[str, str], ...] = (
    *({name: value} for name in ("after", "before") for value in ("{theirs}",)),
    *({"orderBy": order, "orderDirection": way} for order in ("createdAt", "updatedAt") for way in ("ASC", "DESC")),
    *({"subscriberId": name} for name in NAMES["subscriber_id"]),
    {"subscriberId": "ada", "connectionMode": "subscriber"},
    {"connectionMode": "shared"},
    {"integrationIdentifier": INTEGRATION},
    {"workspaceId": "T1"},
    {"status": "unknown"},
    {"contextKeys": "tenant:acme"},
    {"contextKeys": ""},
    {"search": "Mark of"},
    {"connectionIdentifier": "both"},
    {"email": "ada@example.com"},
    {"name": "Mark"},
    {"limit": "100", "includeCursor": "true"},
    {"failIfExists": "true"},
    {"revoke": "true"},
)


class World:
    """One product with two environments that hold rows of the same names, each with the mark of its environment."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.runtime.environments.add(THEIRS)
        self.ours, self.theirs = (self._filled(name) for name in (OURS, THEIRS))
        for address, body in _bodies(THEIRS, "only-theirs"):
            assert self.theirs.asks("POST", address, body).status_code == 201, address
        first = self.theirs.asks("GET", f"{CONNECTIONS}?limit=1").json()
        self.cursor = first["next"]
        assert self.cursor

    def _filled(self, environment: str) -> Program:
        self.site.runtime.integrations.add_practice(INTEGRATION, f"Mark of {environment}", environment)
        program = Program(self.site, self.site.runtime.api_keys.create("program", environment, (), None).key)
        for address, body in _bodies(environment, "both"):
            assert program.asks("POST", address, body, Idempotency_Key=address).status_code == 201, address
        return program

    def of_theirs(self) -> list[Any]:
        return [self.theirs.asks("GET", f"{address}?limit=100").json() for address in LISTS]

    def rules(self) -> list[tuple[str, str]]:
        return sorted(
            (method, rule.rule)
            for rule in self.site.app.url_map.iter_rules()
            if rule.rule.startswith(("/v1", "/v2"))
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        )


@pytest.fixture(scope="module")
def world(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("environments")
    with copied(empty_database, folder) as url, sites(url, folder, Clock()) as start:
        made = World(start(api_rate_limit=100_000))
        yield made
        made.ours.client.close()
        made.theirs.client.close()


def test_every_request_of_ours_leaves_theirs_alone(world: World) -> None:
    before = world.of_theirs()
    for method, rule in world.rules():
        for place in ("both", "only-theirs"):
            asks(world, method, rule, {name: values[place != "both"] for name, values in NAMES.items()}, {})
    for query in QUERIES:
        for address in LISTS:
            asks(world, "GET", address, {}, query)
    assert world.of_theirs() == before


@settings(
    max_examples=25, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_no_sequence_of_ours_sees_or_changes_theirs(world: World, data: st.DataObject) -> None:
    before = world.of_theirs()
    for _ in range(data.draw(st.integers(1, 8))):
        method, rule = data.draw(st.sampled_from(world.rules()))
        names = {name: data.draw(st.sampled_from(values)) for name, values in NAMES.items()}
        query: dict[str, str] = {}
        for more in data.draw(st.lists(st.sampled_from(QUERIES), max_size=2)):
            query |= more
        asks(world, method, rule, names, query)
    assert world.of_theirs() == before


def test_every_statement_names_the_environment_or_one_row(world: World) -> None:
    asked: set[str] = set()

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.add(" ".join(statement.split()))

    engine = world.site.runtime.database.engine
    event.listen(engine, "before_cursor_execute", hear)
    for method, rule in world.rules():
        for query in ({}, *QUERIES) if rule in LISTS and method == "GET" else ({},):
            asks(world, method, rule, {name: values[0] for name, values in NAMES.items()}, query)
    event.remove(engine, "before_cursor_execute", hear)
    kept_apart = {name for name, table in METADATA.tables.items() if "environment_id" in table.columns}
    read = {one for one in asked if not one.startswith("INSERT") and kept_apart & set(re.findall(r"\w+", one))}
    assert len(read) > 30
    assert [one for one in read if not re.search(_BOUND, one)] == []


#: To an environment, or to rows that were found in one: by id, or by the unguessable text that only one row has.
_BOUND = (
    r"environment_id = |WHERE (\(?\w+\.)?(id|digest|installation_id|connection_id) = "
    r"|WHERE \w+\.(integration_id|context_digest) = "
)


def asks(world: World, method: str, rule: str, names: dict[str, str], query: dict[str, str]) -> None:
    """Raises AssertionError where the answer holds a mark of theirs."""
    told = {name: value.replace("{theirs}", world.cursor) for name, value in query.items()}
    address = re.sub(r"<(\w+)>", lambda found: names[found[1]], rule)
    name = "only-theirs" if "only-theirs" in names.values() else "both"
    body = dict(_bodies(OURS, name)).get(rule) or _BODIES_OF_OTHERS.get((method, rule))
    sent = body if method in ("POST", "PATCH") else None
    answer = world.ours.asks(method, f"{address}?{urlencode(told)}", sent)
    assert answer.status_code < 500, (method, address, answer.text)
    assert f"Mark of {THEIRS}" not in answer.text, (method, address, told)


def _bodies(environment: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    mark, is_both = f"Mark of {environment}", name == "both"
    subscriber, context = ("ada", "acme") if is_both else (name, name)
    kind = "tenant" if is_both else "plan"
    return [
        (SUBSCRIBERS, {"subscriberId": subscriber, "firstName": mark, "email": "ada@example.com"}),
        (CONTEXTS, {"type": kind, "id": context, "data": {"mark": mark}}),
        (CONNECTIONS, connection(
            identifier=name, subscriberId=subscriber, context={kind: context},
            workspace={"id": "T1", "name": mark}, auth={"accessToken": mark},
        )),
        (ENDPOINTS, {
            "identifier": name, "integrationIdentifier": INTEGRATION, "subscriberId": subscriber,
            "type": "webhook", "endpoint": {"url": f"https://{environment.lower()}.example", "channel": mark},
        }),
    ]  # fmt: skip


_ADDRESS = {"integrationIdentifier": INTEGRATION, "subscriberId": "ada"}
_BODIES_OF_OTHERS: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", f"{CONNECTIONS}/<identifier>"): {"workspace": {"id": "T2"}, "auth": {"accessToken": "ours"}},
    ("PATCH", f"{ENDPOINTS}/<identifier>"): {"endpoint": {"url": "https://ours.example"}},
    ("PATCH", f"{CONTEXTS}/<type>/<id>"): {"data": {"mark": "ours"}},
    ("PATCH", f"{SUBSCRIBERS}/<subscriber_id>"): {"firstName": "ours"},
    ("POST", "/v1/integrations/channel-connections/oauth"): _ADDRESS,
    ("POST", "/v1/integrations/chat/oauth"): _ADDRESS,
}
