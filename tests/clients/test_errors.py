"""Every error that a client can receive, through both official clients: the type that it raises, and its message."""

from typing import Any

import pytest

from tests.browser_client import Site
from tests.clients.bodies import connection, endpoint
from tests.clients.conftest import Connect, MakeKey, fill
from tests.clients.official import Client

NEEDED = {"statusCode", "timestamp", "path", "message", "error", "code", "requestId"}

_TAKEN = connection(identifier="taken", subscriberId="taken", context={"tenant": "org-123"})
_UPDATE = {"workspace": {"id": "T9"}, "auth": {"accessToken": "another"}}


def _refused(call: str, status: int, message: str, **given: Any) -> Any:
    return pytest.param(call, given, status, message, id=f"{status} {call} {message[:50]}")


#: The call, its status, and the beginning of its message. A connection `taken`, a context and a subscriber exist.
REFUSED = [
    _refused(
        "connections.create",
        400,
        'context is required when connectionMode is "shared"',
        body=connection(connectionMode="shared", subscriberId="bea"),
    ),
    _refused(
        "connections.create",
        400,
        'subscriberId is required when connectionMode is "subscriber"',
        body=connection(connectionMode="subscriber", context={"tenant": "org-123"}),
    ),
    _refused(
        "connections.create",
        400,
        "Either subscriberId or context must be provided",
        body={name: value for name, value in connection().items() if name != "subscriberId"},
    ),
    _refused(
        "connections.create",
        404,
        "Integration not found: unknown",
        body=connection(integrationIdentifier="unknown"),
    ),
    _refused(
        "connections.create",
        409,
        'A channel connection already exists for integration "slack-prod" with subscriberId "taken"'
        " and context [tenant:org-123]. Connection ID: taken",
        body=connection(subscriberId="taken", context={"tenant": "org-123"}),
    ),
    _refused(
        "connections.create",
        409,
        'Channel connection with identifier "taken" already exists in environment "',
        body=connection(identifier="taken"),
    ),
    _refused(
        "connections.list",
        400,
        'Cannot specify both "before" and "after" cursors at the same time.',
        query={"before": "x", "after": "x"},
    ),
    _refused("connections.list", 400, "", query={"after": "not-a-cursor-of-ours"}),
    _refused("connections.retrieve", 404, "Channel connection with identifier 'x' not found", identifier="x"),
    _refused(
        "connections.update", 404, "Channel connection with identifier 'x' not found", identifier="x", body=_UPDATE
    ),
    _refused("connections.delete", 404, "Channel connection with identifier 'x' not found", identifier="x"),
    _refused(
        "integrations.connect_url",
        404,
        "Integration not found: unknown",
        body={"integrationIdentifier": "unknown", "subscriberId": "bea"},
    ),
    _refused(
        "integrations.connect_url",
        400,
        "Either subscriberId or context must be provided",
        body={"integrationIdentifier": "slack-prod"},
    ),
    _refused(
        "contexts.create",
        409,
        "Context with type 'tenant' and id 'org-123' already exists",
        body={"type": "tenant", "id": "org-123"},
    ),
    _refused("contexts.retrieve", 404, "Context with id 'x' and type 'tenant' not found", kind="tenant", name="x"),
    _refused(
        "contexts.update",
        404,
        "Context with type 'tenant' and id 'x' not found",
        kind="tenant",
        name="x",
        body={"data": {}},
    ),
    _refused("contexts.delete", 404, "Context with id 'x' and type 'tenant' not found", kind="tenant", name="x"),
    _refused("contexts.delete", 409, "", kind="tenant", name="org-123"),
    _refused("subscribers.retrieve", 404, "Subscriber: x was not found", subscriber="x"),
    _refused("subscribers.patch", 404, "Subscriber: x was not found", subscriber="x", body={"firstName": "X"}),
    _refused("subscribers.delete", 404, "Subscriber was not found", subscriber="x"),
    _refused("endpoints.create", 404, "Integration not found: unknown", body=endpoint(integrationIdentifier="unknown")),
    _refused(
        "endpoints.create",
        404,
        "Subscriber not found: nobody. Pass createSubscriberIfMissing: true to create it, or provision it via "
        "POST /v2/subscribers.",
        body=endpoint(subscriberId="nobody", createSubscriberIfMissing=False),
    ),
    _refused(
        "endpoints.create",
        404,
        "Channel connection not found: x",
        body=endpoint(subscriberId="taken", connectionIdentifier="x"),
    ),
    _refused("endpoints.retrieve", 404, "Channel endpoint with identifier 'x' not found", identifier="x"),
    _refused(
        "endpoints.update",
        404,
        'Channel endpoint with identifier "x" not found in environment "Development"',
        identifier="x",
        body={"endpoint": {"channelId": "C1"}},
    ),
    _refused("endpoints.delete", 404, "Channel endpoint with identifier 'x' not found", identifier="x"),
]


def _wrong(call: str, field: str, **given: Any) -> Any:
    return pytest.param(call, given, field, id=f"{call} {field} {str(given)[-40:]}")


#: The call, and the field that its 422 must name.
WRONG = [
    _wrong("connections.create", "identifier", body=connection(identifier="a/b")),
    _wrong("connections.create", "identifier", body=connection(identifier="..")),
    _wrong("connections.create", "identifier", body=connection(identifier="")),
    _wrong("connections.create", "identifier", body=connection(identifier="x" * 256)),
    _wrong("connections.create", "integrationIdentifier", body=connection(integrationIdentifier="")),
    _wrong("connections.create", "workspace.id", body=connection(workspace={"id": ""})),
    _wrong("connections.create", "auth.accessToken", body=connection(auth={"accessToken": ""})),
    _wrong("connections.create", "auth.accessToken", body=connection(auth={"accessToken": "x" * 4097})),
    _wrong("connections.create", "auth.expiresAt", body=connection(auth={"accessToken": "x", "expiresAt": "soon"})),
    _wrong("connections.create", "context", body=connection(context={"not allowed": "org-123"})),
    _wrong("connections.create", "context", body=connection(context={f"type-{n}": "id" for n in range(6)})),
    _wrong(
        "connections.create", "context", body=connection(context={"tenant": {"id": "a", "data": {"x": "y" * 65_537}}})
    ),
    _wrong("connections.update", "workspace.id", identifier="taken", body={**_UPDATE, "workspace": {"id": ""}}),
    _wrong("connections.list", "limit", query={"limit": 0}),
    _wrong("connections.list", "limit", query={"limit": 101}),
    _wrong("connections.list", "limit", query={"limit": 2.5}),
    _wrong("connections.list", "orderBy", query={"orderBy": "workspace"}),
    _wrong(
        "integrations.connect_url",
        "scope.0",
        body={"integrationIdentifier": "slack-prod", "subscriberId": "b", "scope": [""]},
    ),
    _wrong("contexts.create", "type", body={"type": "not allowed", "id": "org-123"}),
    _wrong("contexts.create", "id", body={"type": "tenant", "id": "org.123"}),
    _wrong("subscribers.create", "subscriberId", body={"subscriberId": ""}),
    _wrong("endpoints.create", "endpoint", body=endpoint(subscriberId="taken", endpoint={"channelId": ""})),
]


@pytest.fixture(scope="module")
def standing_shop(standing_shop: Site) -> Site:
    fill(standing_shop, ("/v1/channel-connections", _TAKEN))
    return standing_shop


@pytest.mark.parametrize(("call", "given", "status", "message"), REFUSED)
def test_refusal_is_typed_and_says_why(standing_novu: Client, call: str, given: Any, status: int, message: str) -> None:
    answer = standing_novu(call, **given)
    assert (answer.error, answer.status) == ("ErrorDto", status)
    assert answer.body["message"].startswith(message)
    assert set(answer.body) >= NEEDED


@pytest.mark.parametrize(("call", "given", "field"), WRONG)
def test_wrong_field_is_named_in_a_validation_error(standing_novu: Client, call: str, given: Any, field: str) -> None:
    answer = standing_novu(call, **given)
    assert (answer.error, answer.status, answer.body["message"]) == ("ValidationErrorDto", 422, "Validation Error")
    assert list(answer.body["errors"]) == [field]
    assert all(answer.body["errors"][field]["messages"])
    assert ("value" in answer.body["errors"][field]) == (not field.startswith(("auth", "endpoint")))
    assert set(answer.body) >= NEEDED


def test_all_invalid_members_are_reported_at_once(novu: Client) -> None:
    body = connection(identifier="a/b", workspace={"id": ""}, auth={"accessToken": ""})
    assert set(novu("connections.create", body=body).body["errors"]) == {
        "identifier",
        "workspace.id",
        "auth.accessToken",
    }


def test_unknown_subscriber_is_404_where_the_environment_refuses_them(novu: Client, shop: Site) -> None:
    shop.set_unknown_subscribers("Development", "refuse")
    answer = novu("connections.create", body=connection(subscriberId="nobody"))
    assert (answer.status, answer.body["message"]) == (404, "Subscriber not found: nobody")


def test_unknown_key_is_401(connect: Connect) -> None:
    answer = connect("no-such-key")("connections.list", query={})
    assert (answer.error, answer.status, answer.body["message"]) == ("ErrorDto", 401, "API Key not found")
    assert answer.headers["www-authenticate"].startswith("ApiKey")


@pytest.mark.parametrize(
    ("scope", "call", "given"),
    [
        ("connections:write", "connections.create", {"body": connection()}),
        ("connections:write", "connections.delete", {"identifier": "x"}),
        (
            "links:write",
            "integrations.connect_url",
            {"body": {"integrationIdentifier": "slack-prod", "subscriberId": "b"}},
        ),
    ],
)
def test_missing_scope_is_403_and_named(connect: Connect, make_key: MakeKey, scope: str, call: str, given: Any) -> None:
    answer = connect(make_key("connections:read"))(call, **given)
    assert (answer.error, answer.status, scope in answer.body["message"]) == ("ErrorDto", 403, True)


def test_another_content_type_is_415(novu: Client) -> None:
    answer = novu("connections.create", body=connection(), headers={"content-type": "text/plain"})
    assert (answer.error, answer.status) == ("ErrorDto", 415)


def test_body_over_100_kilobytes_is_413(novu: Client) -> None:
    body = connection(workspace={"id": "T1", "name": "x" * 102_400})
    answer = novu("connections.create", body=body)
    assert (answer.error, answer.status) == ("ErrorDto", 413)


@pytest.mark.parametrize("shop_settings", [{"api_rate_limit": 2}], ids=["two a second"])
def test_too_many_requests_are_429_with_the_time_to_wait(novu: Client) -> None:
    answers = [novu("connections.list", query={}) for _ in range(8)]
    refused = next(one for one in answers if one.error)
    assert (refused.error, refused.status, refused.body["message"]) == ("untyped", 429, "API rate limit exceeded")
    assert int(refused.headers["retry-after"]) >= 1
    assert answers[0].error is None
