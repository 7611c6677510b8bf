"""The sender trusts neither the address of a host nor its answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest

from onboarding.outgoing.addresses import Reach, may_reach
from onboarding.outgoing.sender import DEADLINE_SECONDS, Answer, Message, Sender
from tests.addresses import resolve, silent
from tests.ports import free_port
from tests.webhooks.receiver import Receiver, status

pytestmark = pytest.mark.once

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FORBIDDEN = "The address leads to a private or reserved network. WEBHOOK_ALLOW_PRIVATE=on allows private networks."


def sends(url: str, reach: Reach | None = None, proxy: str = "") -> Answer:
    where = reach or Reach(loopback=True)
    sender = Sender(lambda: where, lambda: datetime.now(UTC), proxy)
    return sender.send(Message(url, "evt_1", "{}", (SECRET,)))


@pytest.mark.parametrize(
    ("address", "internet", "practice", "private"),
    [
        ("8.8.8.8", True, True, True),
        ("2606:4700::1111", True, True, True),
        ("127.0.0.1", False, True, True),
        ("::1", False, True, True),
        ("10.0.0.1", False, False, True),
        ("192.168.1.1", False, False, True),
        ("169.254.169.254", False, False, True),
        ("100.64.0.1", False, False, True),
        ("fd00::1", False, False, True),
        ("fe80::1%eth0", False, False, True),
        ("fec0::1", False, False, True),
        ("240.0.0.1", False, False, True),
        # Forms of IPv6 that lead to an IPv4 address: mapped, compatible, NAT64, 6to4.
        ("::ffff:10.0.0.1", False, False, True),
        ("::ffff:8.8.8.8", True, True, True),
        ("::7f00:1", False, True, True),
        ("64:ff9b::7f00:1", False, True, True),
        ("64:ff9b::a00:1", False, False, True),
        ("64:ff9b::808:808", True, True, True),
        ("64:ff9b:1::808:808", False, False, True),
        ("2002:a00:1::", False, False, True),
        ("2002:808:808::", True, True, True),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("ff02::1", False, False, False),
    ],
)
def test_addresses_that_webhooks_may_go_to(address: str, internet: bool, practice: bool, private: bool) -> None:
    reaches = (Reach(), Reach(loopback=True), Reach(private=True))
    assert tuple(may_reach(address, reach) for reach in reaches) == (internet, practice, private)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_name_that_leads_to_this_computer_is_not_connected_to(receiver: Receiver, host: str) -> None:
    port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
    assert sends(f"https://{host}:{port}/", Reach()).problem == FORBIDDEN
    assert receiver.got == []


def test_plain_http_is_for_practice_mode(receiver: Receiver) -> None:
    assert sends(receiver.url, Reach(private=True)).problem == "Webhooks are sent with https only."
    assert sends(receiver.url).problem is None
    assert receiver.got[0].headers["host"] == receiver.url.split("/")[2]


def test_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = status(302, Location=receiver.url)
    answer = sends(receiver.url)
    assert (answer.status, len(receiver.got)) == (302, 1)
    assert answer.problem is not None
    assert "redirect" in answer.problem


def test_proxy_of_the_environment_is_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert sends(receiver.url).status == 200


def test_proxy_of_the_settings_connects_https_webhooks() -> None:
    asked: list[bytes] = []
    with listening(lambda peer: asked.append(peer.recv(1000))) as origin:
        answer = sends("https://hooks.example.com/in", Reach(), origin)
    assert asked[0].startswith(b"CONNECT hooks.example.com:443 HTTP/1.1\r\n")
    assert answer.problem == "The proxy that WEBHOOK_PROXY names did not connect to the host."
    with listening(lambda peer: peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as origin:
        assert sends("https://hooks.example.com/in", Reach(), origin).problem == answer.problem
    assert sends("https://hooks.example.com/in", Reach(), f"http://127.0.0.1:{free_port()}").problem == answer.problem


def test_endless_answer_is_read_to_64_kilobytes(receiver: Receiver) -> None:
    def floods(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**31))
        handler.end_headers()
        # The sender closes the connection.
        with suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 65536)

    receiver.answer = floods
    answer = sends(receiver.url)
    assert (answer.status, answer.problem, len(answer.body)) == (200, None, 2000)
    assert answer.milliseconds < 5000


@pytest.mark.slow
@pytest.mark.parametrize(("begin", "rest"), [(b"", b"H"), (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n")])
def test_host_that_drips_bytes_gets_ten_seconds(receiver: Receiver, begin: bytes, rest: bytes) -> None:
    ended = threading.Event()

    def drips(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.wfile.write(begin)
        while not ended.wait(0.5):
            handler.wfile.write(rest)
            handler.wfile.flush()

    receiver.answer = drips
    began = time.monotonic()
    answer = sends(receiver.url)
    ended.set()
    assert answer.problem == "There was no answer within 10 seconds."
    assert time.monotonic() - began < DEADLINE_SECONDS + 2


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 \xff\r\n\r\n"])
def test_other_server_is_a_failure_with_a_sentence(said: bytes) -> None:
    def answers(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(said)

    with listening(answers) as origin:
        answer = sends(f"{origin}/in")
    assert (answer.status, answer.problem) == (None, "The connection failed or was closed without an answer.")


def test_closed_port_is_a_failure_with_a_sentence() -> None:
    assert sends(f"http://127.0.0.1:{free_port()}/").problem == "The connection failed or was closed without an answer."


@pytest.mark.slow
def test_address_that_does_not_answer_leaves_time_for_the_next_one(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(receiver.url).port or 0
    with silent() as first, silent() as second:
        resolve(monkeypatch, {"hooks.example.com": [first, second, port], "silent.example.com": [first, second]})
        with ThreadPoolExecutor(2) as crowd:
            reached, late = crowd.map(sends, (f"http://{host}.example.com:{port}/" for host in ("hooks", "silent")))
    assert (reached.status, late.problem) == (200, "There was no answer within 10 seconds.")


@contextmanager
def listening(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """Accept one connection, talk and close it. Yield the origin."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            peer, _ = server.accept()
            with peer:
                talk(peer)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)
