"""Hostile bodies: the response is always documented and contains no secret."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser_client import Site
from tests.clients import shape
from tests.clients.bodies import connection, endpoint
from tests.clients.conftest import bare, fill
from tests.examples import examples

pytestmark = pytest.mark.slow

#: In every text below `auth`; a key without the scope for secrets must never see it again.
SECRET = "xoxb-hush"

_CONNECTION = connection(identifier="x", context={"tenant": {"id": "org-123", "data": {"plan": "gold"}}})
_AUTH = {"accessToken": SECRET, "refreshToken": SECRET, "expiresAt": "2030-01-01T00:00:00Z"}

#: Address for a body, and a valid body.
TARGETS: list[Any] = [
    pytest.param("POST", "/v1/channel-connections", {**_CONNECTION, "auth": _AUTH}, id="connection"),
    pytest.param("PATCH", "/v1/channel-connections/there", {"workspace": {"id": "T1"}, "auth": _AUTH}, id="update"),
    pytest.param(
        "POST",
        "/v1/integrations/channel-connections/oauth",
        {"integrationIdentifier": "slack-prod", "subscriberId": "bea", "scope": ["chat:write"], "context": {"a": "b"}},
        id="install address",
    ),
    pytest.param("POST", "/v2/contexts", {"type": "tenant", "id": "org-123", "data": {"plan": "gold"}}, id="context"),
    pytest.param("POST", "/v2/subscribers", {"subscriberId": "bea", "email": "b@x.test", "data": {}}, id="subscriber"),
    pytest.param("POST", "/v1/channel-endpoints", endpoint(identifier="x", context={"a": "b"}), id="channel"),
]

_TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["\0", "\ud800", "\udfff\ud800", "..", "a/b", "%2f", "x" * 300, "x" * 5000, "\u202e", " ", "'; DROP TABLE x"]
)
_NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 1e308, -0.0])
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def writer(standing_shop: Site) -> Iterator[httpx.Client]:
    """Create a key that may write everything and see no secret."""
    fill(standing_shop, ("/v1/channel-connections", connection(identifier="there")))
    with closing(bare(standing_shop, "connections:read", "connections:write", "links:write")) as client:
        client.headers["Content-Type"] = "application/json"
        yield client


@pytest.mark.parametrize(("method", "path", "good"), TARGETS)
@settings(
    max_examples=examples(20),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_wrong_types_anywhere_are_answered_in_the_documented_shape(
    writer: httpx.Client, method: str, path: str, good: dict[str, Any], data: st.DataObject
) -> None:
    body = json.loads(json.dumps(good))
    for place in data.draw(st.lists(st.sampled_from(_places(good)), min_size=1, max_size=3, unique=True)):
        _put(body, place, data.draw(_VALUES))
    answer = writer.request(method, path, content=json.dumps(body))
    assert shape.is_documented(answer), (answer.status_code, answer.text)
    assert SECRET not in answer.text


#: Bodies that are not JSON objects by the standard (RFC 8259).
BROKEN: list[Any] = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="half"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'"text"', id="a text"),
    pytest.param(b'{"subscriberId": NaN}', id="NaN"),
    pytest.param(b'{"subscriberId": Infinity}', id="Infinity"),
    pytest.param(b'{"subscriberId": 1e400}', id="more than a double"),
    pytest.param(b'{"subscriberId": ' + b"9" * 5000 + b"}", id="5,000 digits"),
    pytest.param(b'{"subscriberId": "a", "subscriberId": "b"}', id="a member twice"),
    pytest.param(b'{"auth": {"accessToken": "xoxb-hush", "accessToken": "xoxb-hush"}}', id="a secret twice"),
    pytest.param(b'{"subscriberId": "\xff"}', id="not UTF-8"),
    pytest.param(b'{"subscriberId": "\xed\xa0\x80"}', id="a raw surrogate"),
    pytest.param('{"subscriberId": "a"}'.encode("utf-16"), id="UTF-16"),
    pytest.param(b'\xef\xbb\xbf{"subscriberId": "a"}', id="a byte order mark"),
    pytest.param(b"[" * 50_000, id="50,000 brackets"),
    pytest.param(b'{"a":' * 16_000 + b"1" + b"}" * 16_000, id="16,000 levels"),
    pytest.param(b'{"subscriberId": "a"} {}', id="two bodies"),
    pytest.param(b'{"subscriberId": "a\x00b"}', id="a raw NUL"),
]


@pytest.mark.parametrize("content", BROKEN)
def test_body_other_than_a_json_object_is_refused(writer: httpx.Client, content: bytes) -> None:
    for method, path in [target.values[:2] for target in TARGETS]:
        answer = writer.request(method, path, content=content)
        assert answer.status_code in {400, 422}, (path, answer.status_code, answer.text)
        assert shape.is_documented(answer), (path, answer.status_code, answer.text)
        assert SECRET not in answer.text


def _places(body: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Yield the path to every member of a body."""
    below = body.items() if isinstance(body, dict) else ()
    return [way for name, value in below for way in ((*above, name), *_places(value, (*above, name)))]


def _put(body: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *above, last = place
    for name in above:
        if not isinstance(body.get(name), dict):
            return
        body = body[name]
    body[last] = _marked(value) if "auth" in place else value


def _marked(value: Any) -> Any:
    """Return the body with the secret in every text, so that a response which repeats one is noticed."""
    if isinstance(value, str):
        return SECRET + value
    if isinstance(value, list):
        return [_marked(one) for one in value]
    if isinstance(value, dict):
        return {name: _marked(one) for name, one in value.items()}
    return value
