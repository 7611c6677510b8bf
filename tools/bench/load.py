"""The load driver, a process of its own: so many clients, each sends its next request when the last one is answered.

Reads a `Load` as JSON from standard input, writes a `Measured` as JSON to standard output. Kept connections, one thread,
nothing but loopback, bounded in time.
"""

import itertools
import json
import random
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

#: How long answers may be outstanding after the last request was sent.
_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Load:
    """What is asked, by how many clients, for how long."""

    port: int
    clients: int
    seconds: float
    method: str
    #: Each request takes one of them by chance.
    targets: list[str]
    headers: dict[str, str]
    #: `{n}` in it becomes a number that no other request has.
    body: str | None
    #: The first of these numbers.
    first: int = 0
    expected: int = 200


@dataclass(frozen=True)
class Measured:
    """What came of it. Times in milliseconds, of every request that was answered as expected."""

    elapsed_seconds: float
    milliseconds: list[float]
    #: How often something else came: a status, or "none" for a connection that broke or never answered.
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.elapsed_seconds


def main() -> None:
    load = Load(**json.load(sys.stdin))
    json.dump(asdict(run(load)), sys.stdout)


def run(load: Load) -> Measured:
    requests = _requests(load)
    poll = select.epoll()
    clients = {client.socket.fileno(): client for client in (_Client(load.port) for _ in range(load.clients))}
    for number in clients:
        poll.register(number, select.EPOLLIN)
    taken: list[float] = []
    refused: Counter[str] = Counter()
    begin = time.perf_counter()
    end, given_up = begin + load.seconds, begin + load.seconds + _PATIENCE_SECONDS
    for client in clients.values():
        client.send(next(requests))
    waiting, now = len(clients), begin
    while waiting and now < given_up:
        for number, _events in poll.poll(1):
            client = clients[number]
            status = client.receive()
            if status is None:
                continue
            now = time.perf_counter()
            if status == load.expected:
                taken.append((now - client.sent_at) * 1000)
            else:
                refused[str(status or "none")] += 1
            if not client.is_open:
                poll.unregister(number)
                client.socket.close()
                clients[client.connect()] = client
                poll.register(client.socket.fileno(), select.EPOLLIN)
            if now < end:
                client.send(next(requests))
            else:
                waiting -= 1
        now = time.perf_counter()
    if waiting:
        refused["none"] += waiting
    return Measured(now - begin, taken, dict(refused))


def _requests(load: Load) -> Iterator[bytes]:
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": f"127.0.0.1:{load.port}", **load.headers}.items())
    choice = random.Random(load.first)  # noqa: S311  # spreads the load, guards nothing
    if load.body is None:
        prepared = [f"{load.method} {target} HTTP/1.1\r\n{head}\r\n".encode() for target in load.targets]
        while True:
            yield choice.choice(prepared)
    for n in itertools.count(load.first):
        body = load.body.replace("{n}", str(n)).encode()
        target = choice.choice(load.targets)
        yield f"{load.method} {target} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _Client:
    """One kept connection, of which an answer is read as little as needed: its status and where it ends."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sent_at = 0.0
        self.connect()

    def connect(self) -> int:
        self.socket = socket.create_connection(("127.0.0.1", self._port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_open = True
        self._received = b""
        self._missing = -1
        return self.socket.fileno()

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status of an answer that is complete; 0 if the connection broke; None while there is more to come."""
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
        if b"\r\nconnection: close" in self._received[:2000].lower():
            self.is_open = False
        self._received, self._missing = b"", -1
        return status

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self._received[:end].lower()
        _, found, length = head.partition(b"\r\ncontent-length:")
        if not found:
            raise SystemExit("An answer without a length cannot be told from the next one.")
        self._missing = end + 4 + int(length.split(b"\r\n")[0])
        return True


if __name__ == "__main__":
    main()
