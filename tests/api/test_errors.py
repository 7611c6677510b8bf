"""Every code of the table is caused once; all have the same shape."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from onboarding.api.problem_table import TABLE
from onboarding.http import request_body
from tests import plain_http
from tests.api.conftest import Program, connection
from tests.browser_client import Site

LIST = "/v1/channel-connections"
SESSIONS = "/v1/connect-sessions"
HOOKS = "/v1/webhook-endpoints"
HOOK = {"url": "http://127.0.0.1:9/hook"}


@dataclass(frozen=True)
class Scene:
    site: Site
    program: Program
    start_site: Callable[..., Site]

    def posts(self, content: bytes, media: str = "application/json", **headers: str) -> httpx.Response:
        return self.program.client.post(LIST, content=content, headers={"Content-Type": media, **headers})


def _twice(scene: Scene, first: dict[str, object], second: dict[str, object]) -> httpx.Response:
    assert scene.program.asks("POST", LIST, first).status_code == 201
    return scene.program.asks("POST", LIST, second)


def _endpoint_twice(scene: Scene) -> httpx.Response:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "ada", "type": "slack_user", "identifier": "e"}
    body["endpoint"] = {"userId": "U1"}  # type: ignore[assignment]  # a body may be any JSON value
    scene.program.asks("POST", "/v1/channel-endpoints", body)
    return scene.program.asks("POST", "/v1/channel-endpoints", body)


def _made(scene: Scene, address: str, body: dict[str, object]) -> httpx.Response:
    assert scene.program.asks("POST", address, body).status_code == 201
    return scene.program.asks("POST", address, body)


def _paused(scene: Scene) -> httpx.Response:
    name = scene.program.asks("POST", HOOKS, HOOK).json()["id"]
    scene.program.asks("PATCH", f"{HOOKS}/{name}", {"enabled": False})
    return scene.program.asks("POST", f"{HOOKS}/{name}/test")


def _too_many_endpoints(scene: Scene) -> httpx.Response:
    return [scene.program.asks("POST", HOOKS, HOOK) for _ in range(21)][-1]


def _in_use(scene: Scene, address: str) -> httpx.Response:
    scene.program.creates(context={"tenant": "acme"})
    return scene.program.asks("DELETE", address)


def _in_progress(scene: Scene) -> httpx.Response:
    """A process that is still at it, or died a moment ago."""
    body = json.dumps(connection()).encode()
    runtime = scene.site.runtime
    runtime.idempotency.begin(runtime.environments.first().id, "k", "POST", LIST, body)
    return scene.posts(body, **{"Idempotency-Key": "k"})


def _reused(scene: Scene) -> httpx.Response:
    scene.program.asks("POST", LIST, connection(), Idempotency_Key="k")
    return scene.program.asks("POST", LIST, connection(subscriberId="bea"), Idempotency_Key="k")


def _unreachable(scene: Scene) -> httpx.Response:
    name = scene.program.creates().json()["identifier"]
    scene.site.slack.fails("auth.test", "status_500")
    return scene.program.asks("POST", f"{LIST}/{name}/verify")


def _limited(scene: Scene) -> httpx.Response:
    strict = scene.start_site(api_rate_limit=1)
    asker = Program(strict, scene.program.key)
    return next(answer for _ in range(20) if (answer := asker.asks("GET", "/v1/integrations")).status_code == 429)


def _cut_short(scene: Scene) -> httpx.Response:
    """A body that ends before it was said to."""
    lines = ["POST /v1/channel-connections HTTP/1.1", f"Host: 127.0.0.1:{scene.site.settings.port}"]
    lines += [f"Authorization: ApiKey {scene.program.key}", "Content-Type: application/json", "Content-Length: 50"]
    with socket.create_connection(("127.0.0.1", scene.site.settings.port), 10) as wire:
        wire.sendall("\r\n".join([*lines, "", "{"]).encode())
        wire.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: wire.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    pairs = dict(line.split(": ", 1) for line in headers)
    return httpx.Response(int(first.split()[1]), headers=pairs, content=body)


def _from_another_site(scene: Scene) -> httpx.Response:
    body = {"integrationIdentifier": "slack-prod", "subscriberId": "ada"}
    made = scene.program.asks("POST", SESSIONS, body).json()
    address, token = f"{SESSIONS}/{made['id']}", f"Bearer {made['token']}"
    return scene.program.asks("GET", address, Authorization=token, Origin="https://evil.example")


def _broken(scene: Scene) -> httpx.Response:
    """A row that the product did not write."""
    _endpoint_twice(scene)
    with scene.site.runtime.database.transaction() as session:
        session.execute(text("UPDATE channel_endpoints SET context_keys = 'no JSON'"))
    return scene.program.asks("GET", "/v1/channel-endpoints/e")


def _gone(scene: Scene) -> httpx.Response:
    with scene.site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE contexts RENAME TO elsewhere"))
    return scene.program.asks("GET", "/v2/contexts")


def _raced(scene: Scene) -> httpx.Response:
    """A unique key that no rule of ours knows stands in the way, as another change at the same moment would."""
    name = scene.program.creates().json()["identifier"]
    with scene.site.runtime.database.transaction() as session:
        session.execute(text("CREATE UNIQUE INDEX in_the_way ON channel_connections (workspace_id)"))
    scene.program.creates(subscriberId="bea", workspace={"id": "T2"})
    body = {"workspace": {"id": "T2"}, "auth": {"accessToken": "x"}}
    return scene.program.asks("PATCH", f"{LIST}/{name}", body)


def _unreadable(scene: Scene) -> httpx.Response:
    """A token that rotates, and a client secret that was sealed with a key that is gone."""
    name = scene.program.creates(auth={"accessToken": "a", "refreshToken": "b"}).json()["identifier"]
    with scene.site.runtime.database.transaction() as session:
        session.execute(text("UPDATE integrations SET client_secret = :junk"), {"junk": b"0" * 60})
    return scene.program.asks("POST", f"{LIST}/{name}/verify")


def _taken(scene: Scene) -> httpx.Response:
    scene.site.add_practice_app("strict", "Strict", "Development", "refuse")
    scene.program.creates(integrationIdentifier="strict")
    return scene.program.creates(integrationIdentifier="strict", subscriberId="bea")


def _too_many_bodies(scene: Scene) -> httpx.Response:
    """Clients that send slowly occupy every thread that may read a body."""
    for _ in range(request_body.MAX_READING):
        assert request_body.reading.acquire(blocking=False)
    try:
        return scene.posts(b"{}")
    finally:
        for _ in range(request_body.MAX_READING):
            request_body.reading.release()


SCENES: dict[str, Callable[[Scene], httpx.Response]] = {
    "body_not_json": lambda scene: scene.posts(b"{"),
    "body_not_object": lambda scene: scene.posts(b"[]"),
    "context_required": lambda scene: scene.program.creates(connectionMode="shared"),
    "subscriber_required": lambda scene: scene.program.creates(subscriberId=None, connectionMode="subscriber"),
    "owner_required": lambda scene: scene.program.creates(subscriberId=None),
    "cursors_conflict": lambda scene: scene.program.asks("GET", f"{LIST}?after=a&before=b"),
    "cursor_unknown": lambda scene: scene.program.asks("GET", f"{LIST}?after=abc"),
    "idempotency_key_invalid": lambda scene: scene.program.asks("POST", LIST, {}, Idempotency_Key="k" * 256),
    "bad_request": _cut_short,
    "key_missing": lambda scene: plain_http.get(f"{scene.site.settings.origin}{LIST}"),
    "key_scheme": lambda scene: scene.program.asks("GET", LIST, Authorization="Digest x"),
    "key_unknown": lambda scene: scene.program.asks("GET", LIST, Authorization="ApiKey x"),
    "session_token_unknown": lambda scene: scene.program.asks("GET", f"{SESSIONS}/x", Authorization="Bearer cs_1.x"),
    "scope_missing": lambda scene: Program(
        scene.site, scene.site.api_key("blind", "Development", ("links:write",), None)
    ).asks("GET", LIST),
    "origin_not_allowed": _from_another_site,
    "connection_not_found": lambda scene: scene.program.asks("GET", f"{LIST}/x"),
    "integration_not_found": lambda scene: scene.program.creates(integrationIdentifier="x"),
    "subscriber_not_found": lambda scene: scene.program.asks("GET", "/v2/subscribers/x"),
    "context_not_found": lambda scene: scene.program.asks("GET", "/v2/contexts/a/b"),
    "session_not_found": lambda scene: scene.program.asks("GET", f"{SESSIONS}/x"),
    "endpoint_not_found": lambda scene: scene.program.asks("GET", "/v1/channel-endpoints/x"),
    "webhook_endpoint_not_found": lambda scene: scene.program.asks("GET", f"{HOOKS}/x"),
    "webhook_delivery_not_found": lambda scene: scene.program.asks("GET", "/v1/webhook-deliveries/x"),
    "not_found": lambda scene: scene.program.asks("GET", "/v1"),
    "method_not_allowed": lambda scene: scene.program.asks("DELETE", LIST),
    "connection_exists": lambda scene: _twice(scene, connection(), connection()),
    "identifier_taken": lambda scene: _twice(
        scene, connection(identifier="c"), connection(identifier="c", subscriberId="bea")
    ),
    "workspace_taken": _taken,
    "context_exists": lambda scene: _made(scene, "/v2/contexts", {"type": "a", "id": "b"}),
    "context_in_use": lambda scene: _in_use(scene, "/v2/contexts/tenant/acme"),
    "subscriber_exists": lambda scene: _made(scene, "/v2/subscribers?failIfExists=true", {"subscriberId": "ada"}),
    "subscriber_in_use": lambda scene: _in_use(scene, "/v2/subscribers/ada"),
    "endpoint_exists": _endpoint_twice,
    "endpoint_paused": _paused,
    "too_many_endpoints": _too_many_endpoints,
    "idempotency_in_progress": _in_progress,
    "conflict": _raced,
    "body_too_large": lambda scene: scene.posts(b" " * 100_001),
    "address_too_long": lambda scene: scene.program.asks("GET", f"{LIST}?search={'x' * 9000}"),
    "media_type_unsupported": lambda scene: scene.posts(b"{}", "text/plain"),
    "host_not_served": lambda scene: scene.program.asks("GET", LIST, Host="evil.example"),
    "validation_failed": lambda scene: scene.program.creates(workspace={"id": 7}),
    "idempotency_key_reused": _reused,
    "rate_limited": _limited,
    "internal": _broken,
    "slack_unreachable": _unreachable,
    "storage_unavailable": _gone,
    "sealed_value_unreadable": _unreadable,
    "server_busy": _too_many_bodies,
}


def test_every_code_has_its_scene() -> None:
    assert set(SCENES) == set(TABLE)


@pytest.mark.parametrize("code", TABLE)
def test_code_comes_with_its_status_in_the_one_shape(
    code: str, site: Site, program: Program, start_site: Callable[..., Site]
) -> None:
    answer = SCENES[code](Scene(site, program, start_site))
    problem = answer.json()
    assert (problem["code"], problem["statusCode"], answer.status_code) == (
        code,
        TABLE[code].status,
        TABLE[code].status,
    )
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"] == problem["requestId"]
    assert "token-of-acme-hq" not in answer.text


def test_every_operation_documents_that_its_address_can_be_too_long(program: Program) -> None:
    for path, operations in program.asks("GET", "/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            answer = program.asks(method.upper(), f"{path}?search={'x' * 9000}")
            assert answer.status_code == 414
            assert "414" in operation["responses"], (method, path)
