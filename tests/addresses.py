"""Hosts of several addresses, some of which do not answer."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest


@contextmanager
def silent() -> Iterator[int]:
    """A port whose server accepts no more connections, as one behind a firewall that drops packets."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as waiting:
        for _ in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def resolve(monkeypatch: pytest.MonkeyPatch, hosts: Mapping[str, Sequence[int]]) -> None:
    """Let the system's resolver return ports of this computer, in this order, as the addresses of the hosts."""
    lookup = socket.getaddrinfo

    def resolved(host: str, port: int, *rest: Any, **given: Any) -> list[Any]:
        found = lookup("127.0.0.1" if host in hosts else host, port, *rest, **given)
        return [(*one[:4], ("127.0.0.1", at)) for one in found for at in hosts.get(host, [one[4][1]])]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
