"""Clients that open connections and send nothing, or half of a body: others are still served."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from onboarding.http import request_body
from tests import plain_http
from tests.conftest import Clock, copied, sites
from tests.servers import WEB, ForkingServer, forking
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.once]

#: More than the threads of a process, and more than the connections that Granian accepts by default (1024).
_HALF_SENT, _SILENT = 300, 1000
_FILES = 2 * (_HALF_SENT + _SILENT)
_ONE_WORKER = (*WEB[:-1], "1")


@pytest.fixture(scope="module")
def server(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkingServer]:
    folder = tmp_path_factory.mktemp("slow")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # For this process and the server.
    if 0 <= soft < _FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES if hard < 0 else min(_FILES, hard), hard))
    with (
        copied(empty_database, folder) as url,
        sites(url, folder, Clock()) as start,
        forking(start(), folder / "log", _ONE_WORKER, PRACTICE="off") as started,
    ):
        assert until(lambda: started.status() == 200, 30)
        yield started
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _connect(server: ForkingServer) -> socket.socket:
    address = urlsplit(server.origin)
    return socket.create_connection((address.hostname, address.port), 10)


def _half_of_a_request(server: ForkingServer, path: str) -> bytes:
    host = urlsplit(server.origin).netloc
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", "Content-Length: 1000"]
    return ("\r\n".join([*head, "", "{"])).encode()


def test_others_are_served_while_clients_send_nothing_or_half_a_body(server: ForkingServer) -> None:
    with ExitStack() as opened:
        for _ in range(_SILENT):
            opened.enter_context(_connect(server))
        for number in range(_HALF_SENT):
            path = "/v1/channel-connections" if number % 2 else "/sign-out"
            opened.enter_context(_connect(server)).sendall(_half_of_a_request(server, path))
        began = time.monotonic()
        for path in ("/healthz", "/readyz", "/static/css/app.css", "/v1/channel-connections", "/sign-in/nobody") * 4:
            assert server.status(path) not in (0, 503), path
        assert time.monotonic() - began < 10
        refused = plain_http.post(f"{server.origin}/sign-out", data={"a": "b"}, timeout=10)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, str(request_body.RETRY_AFTER_SECONDS))
        assert "Try again in a moment" in refused.text
    assert until(lambda: _posts(server) != 503), "clients that leave free their threads"


def test_connection_that_sends_no_request_is_closed_after_ten_seconds(server: ForkingServer) -> None:
    """A whole request before does not matter: `docs/deploy.md` asks for a proxy that closes its connections earlier."""
    whole = f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(server.origin).netloc}\r\n\r\n".encode()
    with _connect(server) as half, _connect(server) as kept:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        kept.sendall(whole)
        began = time.monotonic()
        for connection in (half, kept):
            connection.settimeout(50)
            while connection.recv(1000):
                pass
            assert 5 < time.monotonic() - began < 25


def test_http_2_is_not_offered(server: ForkingServer) -> None:
    with _connect(server) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        connection.settimeout(50)
        assert not connection.recv(9).startswith(b"\x00"), "no frame of HTTP/2"


def _posts(server: ForkingServer) -> int:
    return plain_http.post(f"{server.origin}/sign-out", data={"a": "b"}, timeout=10).status_code
