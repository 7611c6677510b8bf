"""The connection pool to Slack: connections are reused, no request is sent twice, and every call ends in time."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Barrier, Thread

import pytest

from onboarding.errors import SettingsProblem, SlackDown
from onboarding.slack.gateway import AppCredentials, Gateway
from tests import certificates
from tests.addresses import resolve, silent
from tests.slack.wire import Says, Wire, answers, grants, wire


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def slack() -> Iterator[Wire]:
    with wire() as made:
        yield made


def exchange(gateway: Gateway, slack: Wire, scheme: str = "http", host: str = "127.0.0.1") -> str | None:
    address = f"{scheme}://{host}:{slack.port}"
    app = AppCredentials("1.1", "client-secret", address, f"{address}/api/")
    return gateway.exchange(app, "code-1", "https://connect.example.com/slack/oauth_redirect").team_name


def test_calls_share_one_connection(slack: Wire) -> None:
    gateway = Gateway()
    assert [exchange(gateway, slack) for _ in range(5)] == ["Acme HQ"] * 5
    assert (slack.connections, len(slack.questions)) == (1, 5)


def test_connection_that_slack_closed_while_idle_loses_no_install(slack: Wire) -> None:
    gateway = Gateway()
    for _ in range(5):
        assert exchange(gateway, slack) == "Acme HQ"
        slack.ends_all_connections()
        time.sleep(0.02)
    assert (slack.connections, len(slack.questions)) == (5, 5)


def test_connection_that_was_idle_for_minutes_is_not_reused(slack: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, passing = Gateway(), time.monotonic
    exchange(gateway, slack)
    monkeypatch.setattr(time, "monotonic", lambda: passing() + 61)
    assert exchange(gateway, slack) == "Acme HQ"
    assert slack.connections == 2


def test_sixty_four_threads_get_their_responses(slack: Wire) -> None:
    gateway, ready = Gateway(), Barrier(64, timeout=30)

    def asks(_number: int) -> list[str | None]:
        ready.wait()
        return [exchange(gateway, slack) for _ in range(5)]

    with ThreadPoolExecutor(64) as crowd:
        found = list(crowd.map(asks, range(64)))
    assert found == [["Acme HQ"] * 5] * 64
    assert len(slack.questions) == 320
    assert slack.connections <= 64


def _resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()


def _says(response: bytes) -> Says:
    def say(peer: socket.socket) -> None:
        peer.sendall(response)
        peer.shutdown(socket.SHUT_RDWR)

    return say


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FAULTS: dict[str, Says] = {
    "reset": _resets,
    "closed": _says(b""),
    "not http": _says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "cut head": _says(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "cut body": _says(_HEAD + b'Content-Length: 500\r\n\r\n{"ok": true'),
    "cut where no length was said": _says(_HEAD + b'Connection: close\r\n\r\n{"ok": true, "access_token": "xoxb-cut-'),
    "cut chunk": _says(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"),
    "broken chunk": _says(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nfive\r\n{"),
    "html": answers("<html>Sorry</html>"),
    "html 502": answers("<html>Sorry</html>", "502 Bad Gateway"),
    "empty 500": answers("", "500 Internal Server Error"),
    "no text": answers(b"\xff\xfe"),
    "a number without end": answers('{"ok": ' + "1" * 5000 + "}"),
    "brackets without end": answers("[" * 200_000),
    "too long": answers('"' + "x" * 5_000_001 + '"'),
}


@pytest.mark.parametrize("says", FAULTS.values(), ids=FAULTS.keys())
def test_invalid_response_is_reported_after_one_request(slack: Wire, says: Says) -> None:
    gateway = Gateway()
    exchange(gateway, slack)
    slack.says = says
    with pytest.raises(SlackDown):
        exchange(gateway, slack)
    assert len(slack.questions) == 2
    slack.says = grants
    assert exchange(gateway, slack) == "Acme HQ"


def test_redirect_is_not_followed(slack: Wire) -> None:
    with wire() as elsewhere:
        slack.says = answers("", "307 Temporary Redirect", f"Location: http://127.0.0.1:{elsewhere.port}/api/")
        with pytest.raises(SlackDown):
            exchange(Gateway(), slack)
    assert elsewhere.connections == 0


@pytest.mark.slow
def test_slow_response_ends_after_ten_seconds() -> None:
    def drips(before: bytes, drop: bytes) -> Says:
        def say(peer: socket.socket) -> None:
            peer.sendall(before)
            for _ in range(100):
                peer.sendall(drop)
                time.sleep(0.3)

        return say

    gateway = Gateway()

    def seconds(says: Says) -> float:
        with wire(says) as slack:
            began = time.monotonic()
            with pytest.raises(SlackDown):
                exchange(gateway, slack)
            return time.monotonic() - began

    def stalls(peer: socket.socket) -> None:
        peer.sendall(_HEAD + b"Content-Length: 5000\r\n\r\n")
        time.sleep(7)
        peer.sendall(b"x")
        time.sleep(20)

    body = _HEAD + b"Content-Length: 5000\r\n"
    ways = [drips(b"", b"H"), drips(_HEAD, b"X: 1\r\n"), drips(body + b"\r\n", b"x"), stalls]
    ways += [drips(body + b"Connection: close\r\n\r\n", b"x"), drips(_HEAD + b"Connection: close\r\n\r\n", b"x")]
    ways += [drips(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1")]
    with ThreadPoolExecutor(len(ways)) as crowd:
        assert [took for took in crowd.map(seconds, ways) if not 1 < took < 13] == []


@pytest.mark.slow
def test_slow_connection_ends_after_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as held, wire() as slack:
        hosts = {
            "all-silent.test": [held.enter_context(silent()) for _ in range(3)],
            "last-answers.test": [*(held.enter_context(silent()) for _ in range(3)), slack.port],
        }

        resolve(monkeypatch, hosts)

        def seconds(scheme: str, host: str, port: int) -> float:
            began, app = time.monotonic(), AppCredentials("1.1", "s", "", f"{scheme}://{host}:{port}/api/")
            with pytest.raises(SlackDown):
                Gateway().exchange(app, "code-1", "https://connect.example.com/slack/oauth_redirect")
            return time.monotonic() - began

        with ThreadPoolExecutor(3) as crowd:
            unanswered = crowd.submit(seconds, "http", "all-silent.test", 80)
            handshake = crowd.submit(seconds, "https", "127.0.0.1", held.enter_context(_drips_tls()))
            reached = crowd.submit(exchange, Gateway(), slack, "http", "last-answers.test")
            assert [took for took in (unanswered.result(), handshake.result()) if not 1 < took < 8] == []
            assert reached.result() == "Acme HQ"


@contextmanager
def _drips_tls() -> Iterator[int]:
    """A port whose server sends the first record of a TLS handshake byte by byte."""

    def drip(peer: socket.socket) -> None:
        with suppress(OSError), peer:
            peer.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(100):
                peer.sendall(b"\x02")
                time.sleep(0.3)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Thread(target=lambda: drip(listening.accept()[0]), daemon=True)
        serving.start()
        yield listening.getsockname()[1]


def test_tls_connections_are_reused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certificates.self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    gateway = Gateway()
    with wire(tls=tls) as slack:
        for _ in range(3):
            assert exchange(gateway, slack, "https") == "Acme HQ"
        assert slack.connections == 1
        slack.ends_all_connections()
        time.sleep(0.02)
        assert exchange(gateway, slack, "https") == "Acme HQ"


@pytest.mark.parametrize("case", ["a stranger's certificate", "another server's certificate"])
def test_server_without_a_trusted_certificate_receives_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificates.self_signed(tmp_path, "127.0.0.2" if case.startswith("another") else "127.0.0.1")
    if case.startswith("another"):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with wire(tls=tls) as slack:
        with pytest.raises(SlackDown):
            exchange(Gateway(), slack, "https")
        assert slack.questions == []


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"])
@pytest.mark.parametrize("user", ["", "ada:p%40ss@"])
def test_proxy_of_the_environment_is_used(variable: str, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with wire(answers("", "403 Forbidden")) as proxy, wire() as slack:
        monkeypatch.setenv(variable, f"http://{user}127.0.0.1:{proxy.port}")
        with pytest.raises(SlackDown):
            exchange(Gateway(), slack, "https", "slack.test")
        assert proxy.questions[0].startswith(f"CONNECT slack.test:{slack.port} ")
        assert ("proxy-authorization: basic ywrhonbac3m=" in proxy.questions[0].lower()) == bool(user)
        assert "client-secret" not in proxy.questions[0]
        assert slack.connections == 0


def test_no_proxy_lists_hosts_that_are_called_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certificates.self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with wire() as proxy, wire(tls=tls) as slack:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,.example.com")
        assert exchange(Gateway(), slack, "https") == "Acme HQ"
        assert proxy.connections == 0


def test_slack_on_this_computer_is_never_called_through_a_proxy(slack: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with wire() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert exchange(Gateway(), slack) == "Acme HQ"
        assert proxy.connections == 0


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "http://[::1", "ftp://proxy.example.com"])
def test_invalid_proxy_stops_the_start(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(SettingsProblem, match="HTTPS_PROXY"):
        Gateway()


def test_slack_receives_the_bytes_of_slack_sdk(slack: Wire) -> None:
    exchange(Gateway(), slack)
    (question,) = slack.questions
    assert question.startswith("POST /api/oauth.v2.access HTTP/1.1\r\n")
    assert "Authorization: Basic MS4xOmNsaWVudC1zZWNyZXQ=" in question
    assert "slackclient/" in question
    assert "code=code-1" in question.partition("\r\n\r\n")[2]
