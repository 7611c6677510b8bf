"""Environments are isolated: no request with a key reads or changes anything of another environment."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, UniqueConstraint, event, text

from onboarding.store.schema import METADATA
from tests.browser_client import Site, client_of
from tests.conftest import Clock, copied, sites

pytestmark = pytest.mark.slow

#: Each environment's mark is in all of its rows, and in nothing that other environments send.
MARKS = {"Development": "amber", "Production": "birch", "Partner": "cedar"}
#: The first environment, which the pages and commands use by default, and the last.
WALKERS = ("amber", "cedar")
#: A name that every environment has, and one that a single environment has.
NAMES, ALONE = ("one", "two"), {"amber": "only-0", "birch": "only-1", "cedar": "only-2"}
EVERY_NAME = (*NAMES, *ALONE.values())
APP = "slack-prod"
OWNER = {"integrationIdentifier": APP}

CONNECTIONS, ENDPOINTS = "/v1/channel-connections", "/v1/channel-endpoints"
CONTEXTS, SUBSCRIBERS = "/v2/contexts", "/v2/subscribers"
HOOKS, DELIVERIES = "/v1/webhook-endpoints", "/v1/webhook-deliveries"
_CHOOSING = {"/v1/connect-sessions", HOOKS, DELIVERIES}


def _connection(mark: str, name: str) -> dict[str, Any]:
    context = {"tenant": {"id": name, "data": {"mark": mark}}}
    owner = {"identifier": name, "integrationIdentifier": APP, "subscriberId": name, "context": context}
    return {**owner, **_credentials(mark, name)}


def _credentials(mark: str, name: str) -> dict[str, Any]:
    workspace = {"id": "T1", "name": f"Acme {mark}", "botUserId": f"U{mark}"}
    return {"workspace": workspace, "auth": {"accessToken": f"token-{mark}", "refreshToken": f"refresh-{name}"}}


def _endpoint(mark: str, name: str) -> dict[str, Any]:
    owner = {"identifier": name, "integrationIdentifier": APP, "subscriberId": name, "context": {"tenant": name}}
    held = {"connectionIdentifier": name} if name in NAMES else {}
    return {**owner, **held, "type": "webhook", "endpoint": {"url": f"https://hooks.example/{mark}"}}


def _profile(mark: str, name: str) -> dict[str, Any]:
    return {"firstName": mark, "lastName": "Same", "email": f"{name}@x.example", "phone": "1", "data": {"mark": mark}}


WITHOUT_BODY = ("verify_channel_connection", "test_webhook_endpoint", "rotate_webhook_secret", "replay_webhook_endpoint", "replay_webhook_delivery")  # fmt: skip
#: Bodies by operation id: a body of the environment with this mark, for the object with this name.
BODIES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "create_context": lambda mark, name: {"type": "tenant", "id": name, "data": {"mark": mark}},
    "create_subscriber": lambda mark, name: {"subscriberId": name, **_profile(mark, name)},
    "create_channel_connection": _connection,
    "create_channel_endpoint": _endpoint,
    "create_install_url": lambda _mark, name: {**OWNER, "subscriberId": name},
    "create_chat_install_url": lambda _mark, name: {**OWNER, "subscriberId": name, "mode": "connect"},
    "create_connect_session": lambda mark, name: {**OWNER, "subscriberId": name, "reference": mark},
    "create_webhook_endpoint": lambda mark, _name: {"url": f"https://hooks.example/{mark}", "description": mark},
    "update_webhook_endpoint": lambda mark, _name: {"description": mark},
    "update_context": lambda mark, _name: {"data": {"mark": mark}},
    "update_subscriber": _profile,
    "update_channel_connection": _credentials,
    "update_channel_endpoint": lambda mark, _name: {"endpoint": {"url": f"https://hooks.example/{mark}"}},
    **dict.fromkeys(WITHOUT_BODY, lambda _mark, _name: {}),
}
#: Members of a body that refer to another object.
REFERENCES = {
    "integrationIdentifier": (*ALONE.values(), APP),
    "connectionIdentifier": ("one", *ALONE.values()),
    "subscriberId": ("one", *ALONE.values()),
}
#: Values of each query parameter; `after` and `before` get cursors of every environment.
PARAMETERS: dict[str, Sequence[str]] = {
    "limit": ["1", "100"],
    "after": [],
    "before": [],
    "orderBy": ["createdAt", "updatedAt"],
    "orderDirection": ["ASC", "DESC"],
    "includeCursor": ["true"],
    "subscriberId": ["one", *ALONE.values()],
    "connectionMode": ["subscriber", "shared"],
    "channel": ["chat"],
    "providerId": ["slack"],
    "integrationIdentifier": [APP, *ALONE.values()],
    "connectionIdentifier": ["one", *ALONE.values()],
    "contextKeys": ["", "tenant:one", *(f"tenant:{name}" for name in ALONE.values())],
    "workspaceId": ["T1"],
    "status": ["unknown", "needs_reconnect"],
    "search": ["acme", "one", "only", "tenant:", "T1", *MARKS.values(), *(f"acme {mark}" for mark in MARKS.values())],
    "id": ["one", *ALONE.values()],
    "type": ["tenant"],
    "email": [f"{name}@x.example" for name in EVERY_NAME],
    "phone": ["1"],
    "name": ["same", *MARKS.values()],
    "endpointId": ["one"],
    "event": ["webhook.test"],
    "subject": ["one", *ALONE.values()],
    "failIfExists": ["true"],
    "revoke": ["true", "false"],
}


class Operation:
    def __init__(self, method: str, rule: str, name: str, parameters: list[str]) -> None:
        self.method, self.rule, self.name, self.parameters = method, rule, name, parameters

    def __repr__(self) -> str:
        return self.name

    @property
    def takes_name(self) -> bool:
        return "<" in self.rule

    def address(self, name: str) -> str:
        return re.sub("<[^>]+>", name, self.rule.replace("<type>", "tenant"))


class Scene:
    """A running product with its environments; a client with a key of each, and their responses."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.site, self._site_is_asked = site, False
        self.operations = _operations(site)
        self.statements: set[str] = set()
        self.successes: dict[str, set[str]] = defaultdict(set)
        #: Ids that the product chose, by address, environment and name.
        self._chosen: dict[tuple[str, str, str], str] = {}
        self.clients = {mark: stack.enter_context(self._settled(name, mark)) for name, mark in MARKS.items()}
        self._ids = {MARKS[one.name]: one.id for one in site.runtime.environments.list_all()}
        for mark in MARKS.values():
            self.fill(mark)
        self.cursors = {mark: self._cursors(mark) for mark in MARKS.values()}
        event.listen(site.runtime.database.engine, "before_cursor_execute", self._hear)

    def _settled(self, environment: str, mark: str) -> httpx.Client:
        if environment != "Development":
            self.site.add_environment(environment)
        for identifier in (APP, ALONE[mark]):
            self.site.add_practice_app(identifier, f"App of {mark}", environment)
        key = self.site.api_key("walker", environment)
        return client_of(self.site, headers={"Authorization": f"ApiKey {key}"})

    def fill(self, mark: str) -> None:
        """Create every object that was deleted."""
        for operation in self.operations:
            for name in (*NAMES, ALONE[mark]) if operation.name.startswith("create") else ():
                body = BODIES[operation.name](mark, name)
                answer = self.clients[mark].post(operation.rule, json=body)
                assert answer.status_code in (201, 409)
                if operation.rule in _CHOOSING and answer.status_code == 201:
                    self._chosen[operation.rule, mark, name] = answer.json()["id"]
                if operation.rule == HOOKS and answer.status_code == 201:
                    tested = self.clients[mark].post(f"{HOOKS}/{answer.json()['id']}/test")
                    self._chosen[DELIVERIES, mark, name] = tested.json()["id"]
        again = {"Idempotency-Key": "same"}
        assert self.clients[mark].post(f"{CONNECTIONS}/one/verify", headers=again).status_code == 200

    def _cursors(self, mark: str) -> list[str]:
        return [self.clients[mark].get(f"{rule}?limit=1").json()["next"] for rule in _LISTS]

    def asks(self, mark: str, operation: Operation, name: str, query: dict[str, str], body: Any = None) -> int:
        """Send a request and return the status. Raises AssertionError if the response mentions another environment."""
        headers = {"Idempotency-Key": "same"} if operation.name.startswith("verify") and name == "one" else {}
        self._site_is_asked = True
        answer = self.clients[mark].request(
            operation.method, self._address(mark, operation, name), params=query, json=body, headers=headers
        )
        self._site_is_asked = False
        assert answer.status_code < 500, (operation, answer.text)
        for other in set(MARKS.values()) - {mark}:
            assert other not in answer.text, (mark, operation, name, query, answer.text)
            assert self._ids[other] not in answer.text, (mark, operation, name, query, answer.text)
        if answer.is_success:
            self.successes[mark].add(operation.name)
        if operation.rule in _LISTS and operation.method == "GET":
            self._holds_only_its_own(mark, operation, query, answer)
        return answer.status_code

    def _address(self, mark: str, operation: Operation, name: str) -> str:
        family = operation.rule.partition("/<")[0]
        if not operation.takes_name or family not in _CHOOSING:
            return operation.address(name)
        owner = next((other for other, alone in ALONE.items() if alone == name), mark)
        return operation.address(self._chosen[family, owner, name])

    def _holds_only_its_own(
        self, mark: str, operation: Operation, query: dict[str, str], answer: httpx.Response
    ) -> None:
        cursor = query.get("after") or query.get("before")
        if answer.status_code == 400:
            assert cursor
            assert answer.json()["code"] in ("cursor_unknown", "cursors_conflict")
        else:
            assert cursor is None or cursor in self.cursors[mark]
            payload = answer.json()
            if not cursor and query.get("limit") != "1":
                assert payload["totalCount"] == len(payload["data"]), (mark, operation, query)

    def rows(self, mark: str) -> dict[str, list[str]]:
        """Return all stored rows of one environment."""
        mine = {"id": self._ids[mark]}
        with self.site.runtime.database.engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(text(query), mine)))
                for name, query in _ROWS_OF_ONE_ENVIRONMENT.items()
            }

    def rows_of_others(self, mark: str) -> dict[str, dict[str, list[str]]]:
        return {other: self.rows(other) for other in MARKS.values() if other != mark}

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if self._site_is_asked:
            self.statements.add(" ".join(statement.split()))


_LISTS = (CONNECTIONS, ENDPOINTS, CONTEXTS, SUBSCRIBERS)
_OURS = {name: table for name, table in METADATA.tables.items() if "environment_id" in table.c}
_ROWS_OF_ONE_ENVIRONMENT = {
    **{name: f"SELECT * FROM {name} WHERE environment_id = :id" for name in _OURS},  # noqa: S608  # names of ours
    "environments": "SELECT * FROM environments WHERE id = :id",
}


def _operations(site: Site) -> list[Operation]:
    """Return every endpoint of the API, in an order in which all can succeed: first created, last deleted."""
    with client_of(site) as client:
        paths = client.get("/openapi.json").json()["paths"]
    described = {one["operationId"]: one for path in paths.values() for one in path.values()}
    found = [
        Operation(method, rule.rule, name, [one["name"] for one in _in_query(described[name])])
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith(("/v1/", "/v2/"))
        for name in [rule.endpoint.removeprefix("api.")]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(found, key=lambda one: (_ORDER.index(one.method), one.method != "GET" and _nth(one), one.rule))


def _in_query(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in described.get("parameters", ()) if one["in"] == "query"]


def _nth(operation: Operation) -> int:
    return list(BODIES).index(operation.name) if operation.method == "POST" else 0


_ORDER = ("POST", "GET", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def scene(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with ExitStack() as stack:
        url = stack.enter_context(copied(empty_database, folder))
        site = stack.enter_context(sites(url, folder, Clock()))(api_rate_limit=1_000_000)
        yield Scene(site, stack)


@pytest.fixture(scope="module")
def walked(scene: Scene) -> Scene:
    """Call every endpoint with two keys: by every name, and with every single parameter."""
    for mark in WALKERS:
        before = scene.rows_of_others(mark)
        for operation in scene.operations:
            _walk(scene, mark, operation)
        assert scene.rows_of_others(mark) == before
        scene.fill(mark)
    return scene


def _walk(scene: Scene, mark: str, operation: Operation) -> None:
    names = EVERY_NAME if operation.takes_name else ("one", "new") if operation.method == "POST" else ("one",)
    for query in _queries(scene, operation):
        for name in names:
            for body in _bodies(mark, operation, name):
                scene.asks(mark, operation, name, query, body)


def _queries(scene: Scene, operation: Operation) -> list[dict[str, str]]:
    """Yield None, and each parameter by itself; lists are requested in pages of the maximum size."""
    whole = {"limit": "100"} if "limit" in operation.parameters else {}
    return [whole, *(whole | {name: value} for name in operation.parameters for value in _values(scene, name))]


def _values(scene: Scene, parameter: str) -> Sequence[str]:
    if parameter in ("after", "before"):
        return [cursor for cursors in scene.cursors.values() for cursor in cursors]
    return PARAMETERS[parameter]


def _bodies(mark: str, operation: Operation, name: str) -> list[dict[str, Any] | None]:
    """Yield a valid body, and one for each object that it can refer to, even if only another environment has it."""
    if operation.method in ("GET", "DELETE") or operation.name.startswith("verify"):
        return [None]
    whole = BODIES[operation.name](mark, name)
    new = {"identifier": "new"} if "identifier" in whole else {}
    if name != "one":
        return [whole]
    return [whole, *(whole | new | {one: value} for one in REFERENCES if one in whole for value in REFERENCES[one])]


def test_whole_api_shows_and_changes_nothing_of_another_environment(walked: Scene) -> None:
    """The fixture has checked each response. This test checks that the fixture covered everything."""
    for mark in WALKERS:
        assert {one.name for one in walked.operations} - walked.successes[mark] == set()


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_run_of_requests_reaches_another_environment(walked: Scene, data: st.DataObject) -> None:
    mark = data.draw(st.sampled_from(list(MARKS.values())))
    before = walked.rows_of_others(mark)
    for operation in data.draw(st.lists(st.sampled_from(walked.operations), min_size=1, max_size=8)):
        name = data.draw(st.sampled_from(EVERY_NAME))
        wanted = data.draw(st.lists(st.sampled_from(operation.parameters), unique=True)) if operation.parameters else []
        query = {one: data.draw(st.sampled_from(_values(walked, one))) for one in wanted}
        walked.asks(mark, operation, name, query, data.draw(st.sampled_from(_bodies(mark, operation, name))))
    assert walked.rows_of_others(mark) == before


#: Look-ups without an environment or a row's own key, and why they cannot reach another environment.
BOUND_OTHERWISE = {
    ("attempts", "link_id"): "a link and its attempts are of one environment",
    ("channel_endpoints", "connection_id"): "the endpoints of a connection that was looked up in its environment",
    ("webhook_deliveries", "endpoint_id"): "the deliveries of a webhook endpoint that was looked up in its environment",
    ("channel_connections", "installation_id"): "a grant and its connections are of one environment",
    ("channel_connections", "integration_id"): "an integration and its connections are of one environment",
    ("connection_words", "connection_id"): "the words of a connection that the statement around it binds",
    ("integrations", "is_practice"): "whether the practice Slack is on is asked of the whole deployment",
}


def test_every_statement_of_the_api_is_bound_to_one_environment(walked: Scene) -> None:
    blocks = {block for statement in walked.statements for block in _blocks(statement)}
    ours = {block for block in blocks if _tables(block)}
    assert len(ours) > 50
    assert {block for block in ours if not _is_bound(block)} == set()


def test_every_exception_occurs(walked: Scene) -> None:
    blocks = {block for statement in walked.statements for block in _blocks(statement)}
    for table, column in BOUND_OTHERWISE:
        assert [block for block in blocks if table in _tables(block) and f"{table}.{column} " in block]


def _blocks(statement: str) -> Iterator[str]:
    """Yield each SELECT, UPDATE and DELETE, innermost first; § marks a part that was taken out of another."""
    while inner := re.search(r"\((SELECT(?:[^()]|\((?!SELECT)(?:[^()]|\([^()]*\))*\))*)\)", statement):
        yield from map(_without_aliases, inner[1].split(" UNION ALL "))
        statement = statement[: inner.start()] + "§" + statement[inner.end() :]
    if not statement.startswith("INSERT"):
        yield from map(_without_aliases, statement.split(" UNION ALL "))


def _without_aliases(block: str) -> str:
    """Replace each alias of a table by the table's name."""
    for table, alias in re.findall(r"\b(?:FROM|JOIN) (\w+) AS (\w+)", block):
        block = re.sub(rf"\b{alias}\.", f"{table}.", block)
    return block


def _tables(block: str) -> list[str]:
    """Return the tables with an environment, the first one first."""
    found: list[str] = re.findall(r"\b(?:FROM|JOIN|UPDATE) (\w+)", block)
    return [name for name in found if name in _OURS]


def _is_bound(block: str) -> bool:
    """Return whether the WHERE binds the statement to an environment or a row, and each joined table by its own key."""
    head, _, conditions = block.partition(" WHERE ")
    tables = _tables(block)
    bound = [name for name in tables if any(_binds(conditions, name, columns) for columns in _keys(_OURS[name]))]
    own = r" = {0}\.id\b|\b{0}\.id = |\b{0}\.environment_id = \w+\.environment_id\b"
    joined = [name for name in tables if re.search(own.format(name), head)]
    return bool(bound) and set(tables) <= {*bound, *joined, bound[0]}


def _keys(table: Table) -> list[list[str]]:
    unique = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys = [[column.name for column in columns] for columns in (table.primary_key.columns, *unique)]
    exceptions = [[column] for name, column in BOUND_OTHERWISE if name == table.name]
    return [["environment_id"], *keys, *exceptions]


def _binds(conditions: str, table: str, columns: Sequence[str]) -> bool:
    """Return whether each of the columns equals one given value, or one of several."""
    return all(re.search(rf"\b{table}\.{column} (= |IN |IS )(\?|%\(|\(|§|\w)", conditions) for column in columns)
