"""No id that a caller sends may contain an invisible character, through any operation."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Program, connection
from tests.invisible import INVISIBLE

pytestmark = pytest.mark.once

_OWNER = {"integrationIdentifier": "slack-prod", "subscriberId": "ada"}
_ENDPOINT = {**_OWNER, "identifier": "chendp_a", "connectionIdentifier": "chconn_a"}
#: A body for each operation that creates something; together they have every id that a caller chooses or names.
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/channel-connections", connection(identifier="chconn_a", workspace={"id": "T1", "botUserId": "U1"})),
    ("/v1/channel-connections", connection(context={"tenant": {"id": "acme"}})),
    ("/v2/subscribers", {"subscriberId": "bea"}),
    ("/v2/contexts", {"type": "tenant", "id": "acme"}),
    ("/v1/channel-endpoints", {**_ENDPOINT, "type": "slack_channel", "endpoint": {"channelId": "C1"}}),
    ("/v1/channel-endpoints", {**_ENDPOINT, "type": "slack_user", "endpoint": {"userId": "U1"}}),
    ("/v1/integrations/channel-connections/oauth", {**_OWNER, "connectionIdentifier": "chconn_a"}),
    ("/v1/integrations/chat/oauth", {**_OWNER, "connectionIdentifier": "chconn_a"}),
    ("/v1/connect-sessions", {**_OWNER, "workspaceId": "T0123"}),
    ("/v1/connect-sessions", {"integrationIdentifier": "slack-prod", "offerContexts": [{"type": "tenant", "id": "acme"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("address", "body"), BODIES, ids=[f"{number} {one[0]}" for number, one in enumerate(BODIES)])
def test_an_invisible_character_in_an_id_is_refused(standing: Program, address: str, body: dict[str, Any]) -> None:
    paths = list(_ids(body))
    assert paths
    for path in paths:
        for name, character in INVISIBLE.items():
            answer = standing.asks("POST", address, _changed(body, path, character))
            assert answer.status_code == 422, (path, name, answer.text)
            assert any(field.startswith(str(path[0])) for field in answer.json()["errors"]), (path, name, answer.text)


def test_bodies_have_every_id_of_the_document(standing: Program) -> None:
    """A member whose pattern accepts every script and no zero-width character is an id."""
    described = standing.client.get("/openapi.json").json()["components"]["schemas"]
    members = {
        name
        for model in described.values()
        for name, schema in model.get("properties", {}).items()
        for one in (schema, *schema.get("anyOf", ()))
        if (pattern := one.get("pattern")) and re.search(pattern, "é") and not re.search(pattern, "é\u200bé")
    }
    assert members <= {str(path[-1]) for _address, body in BODIES for path in _ids(body)}
    assert {"subscriberId", "identifier", "connectionIdentifier", "botUserId"} <= members


def _ids(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each text that is an id."""
    if isinstance(value, str) and str(path[-1]).lower().endswith(("id", "identifier")):
        yield path
    elif isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _ids(one, (*path, key))


def _changed(body: dict[str, Any], path: tuple[str | int, ...], character: str) -> dict[str, Any]:
    """Return the body with the character inside the text at `path`."""
    changed = copy.deepcopy(body)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    text = holder[path[-1]]
    holder[path[-1]] = f"{text[:1]}{character}{text[1:]}"
    return changed
