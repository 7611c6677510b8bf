"""Load driver in its own process: a number of clients, each of which starts its next walk when the last one has ended.

A walk is one request, or the two of an install. Reads a `Load` as JSON from standard input, writes a `Measured` as JSON
to standard output. Kept connections, one thread, nothing but loopback, bounded in time.
"""

import itertools
import json
import random
import re
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field

#: How long responses may be outstanding after the last request was sent.
_PATIENCE_SECONDS = 30
CALLBACK = "/slack/oauth_redirect"

#: Yields a request and the expected status; receives the head of the response.
Walk = Generator[tuple[bytes, int], bytes, None]


@dataclass(frozen=True)
class Load:
    """Load to generate: the requests, the number of clients, the duration."""

    port: int
    clients: int
    seconds: float
    method: str
    #: Each request picks one of them at random; installs take them in order, each once.
    targets: list[str]
    headers: dict[str, str]
    #: `{n}` in it is replaced with a number that no other request has.
    body: str | None
    #: The first of these numbers.
    first: int = 0
    expected: int = 200
    #: For an install: the status of the callback's response. 0: there is no callback.
    callback_expected: int = 0
    #: The headers of each target, instead of `headers`. The targets are then taken in order, over and over.
    own_headers: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """Result of a load. Times in milliseconds, of every walk whose responses were the expected ones."""

    elapsed_seconds: float
    milliseconds: list[float]
    #: Number of unexpected results: by status, or "none" for a connection that broke or never answered.
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.elapsed_seconds


def main() -> None:
    load = Load(**json.load(sys.stdin))
    json.dump(asdict(run(load)), sys.stdout)


def run(load: Load) -> Measured:
    walks = _installs(load) if load.callback_expected else _requests(load)
    poll = select.epoll()
    clients = {client.socket.fileno(): client for client in (_Client(load.port) for _ in range(load.clients))}
    for number in clients:
        poll.register(number, select.EPOLLIN)
    taken: list[float] = []
    refused: Counter[str] = Counter()
    begin = time.perf_counter()
    end, given_up = begin + load.seconds, begin + load.seconds + _PATIENCE_SECONDS
    waiting, now = sum(client.begin(walks) for client in clients.values()), begin
    while waiting and now < given_up:
        for number, _events in poll.poll(1):
            client = clients[number]
            status = client.receive()
            if status is None:
                continue
            now = time.perf_counter()
            if not client.is_open:
                poll.unregister(number)
                client.socket.close()
                clients[client.connect()] = client
                poll.register(client.socket.fileno(), select.EPOLLIN)
            if status != client.expected:
                refused[str(status or "none")] += 1
            elif client.go_on():
                continue
            else:
                taken.append((now - client.begun_at) * 1000)
            if now >= end or not client.begin(walks):
                waiting -= 1
        now = time.perf_counter()
    if waiting:
        refused["none"] += waiting
    return Measured(now - begin, taken, dict(refused))


def _requests(load: Load) -> Iterator[Walk]:
    if load.own_headers:
        pairs = zip(load.targets, load.own_headers, strict=True)
        prepared = [_request(load, load.method, target, headers) for target, headers in pairs]
        # Each load begins at another one, so that two loads in a row do not poll the same ones at once.
        begin = load.first // 1_000_000 * 700 % len(prepared)
        for request in itertools.cycle(prepared[begin:] + prepared[:begin]):
            yield _single(request, load.expected)
    choice = random.Random(load.first)  # noqa: S311  # spreads the load, guards nothing
    if load.body is None:
        prepared = [_request(load, load.method, target, load.headers) for target in load.targets]
        while True:
            yield _single(choice.choice(prepared), load.expected)
    for n in itertools.count(load.first):
        body = load.body.replace("{n}", str(n))
        yield _single(_request(load, load.method, choice.choice(load.targets), load.headers, body), load.expected)


def _single(request: bytes, expected: int) -> Walk:
    yield request, expected


def _installs(load: Load) -> Iterator[Walk]:
    """Yield an install for each target, then end."""
    for n, target in enumerate(load.targets, load.first):
        yield _install(load, target, n)


def _install(load: Load, target: str, n: int) -> Walk:
    """Start an install, then return from Slack with the browser's cookies. Slack's own page is skipped."""
    head = yield _request(load, load.method, target, load.headers, load.body), load.expected
    state = re.search(rb"[?&]state=([^&\s]+)", head)
    if state is None:
        raise SystemExit("The start was answered without a state.")
    given = [cookie.decode() for cookie in re.findall(rb"(?i)\nset-cookie: ([^;\r]+)", head)]
    kept = [load.headers["Cookie"]] if "Cookie" in load.headers else []
    callback = f"{CALLBACK}?code=code-{n}&state={state[1].decode()}"
    yield _request(load, "GET", callback, {"Cookie": "; ".join(kept + given)}), load.callback_expected


def _request(load: Load, method: str, target: str, headers: Mapping[str, str], body: str | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{load.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join([*lines, "", body or ""]).encode()


class _Client:
    """One kept connection. It reads as little as needed of each response: its status and where it ends."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.begun_at = 0.0
        self.expected = 0
        self.connect()

    def connect(self) -> int:
        self.socket = socket.create_connection(("127.0.0.1", self._port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_open = True
        self._received, self._head = b"", b""
        self._missing = -1
        return self.socket.fileno()

    def begin(self, walks: Iterator[Walk]) -> bool:
        """Send the first request of the next walk. False if there is none."""
        walk = next(walks, None)
        if walk is None:
            return False
        self._walk, self.begun_at = walk, time.perf_counter()
        request, self.expected = next(walk)
        self.socket.sendall(request)
        return True

    def go_on(self) -> bool:
        """Send the next request of the walk. False if the walk has ended."""
        try:
            request, self.expected = self._walk.send(self._head)
        except StopIteration:
            return False
        self.socket.sendall(request)
        return True

    def receive(self) -> int | None:
        """Receive the status of a complete response. Returns 0 if the connection broke, None while more is to come."""
        try:
            part = self.socket.recv(262_144)
        except OSError:
            part = b""
        if not part:
            self.is_open = False
            return 0
        self._received += part
        if self._missing < 0 and not self._read_head():
            return None
        if len(self._received) < self._missing:
            return None
        status = int(self._received[9:12])
        if b"\r\nconnection: close" in self._head.lower():
            self.is_open = False
        self._received, self._missing = b"", -1
        return status

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head = self._received[:end]
        _, found, length = self._head.lower().partition(b"\r\ncontent-length:")
        if not found:
            raise SystemExit("A response without a length cannot be separated from the next one.")
        self._missing = end + 4 + int(length.split(b"\r\n")[0])
        return True


if __name__ == "__main__":
    main()
