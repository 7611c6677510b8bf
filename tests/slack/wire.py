"""A small server on a loopback socket, which sends given bytes and counts its connections."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

#: Sends the response on a connection after a request was read.
Says = Callable[[socket.socket], None]

GRANT = {
    "ok": True,
    "access_token": "xoxb-1",
    "scope": "chat:write",
    "team": {"id": "T0ACMEHQ01", "name": "Acme HQ"},
    "authed_user": {"id": "U1"},
}


def answers(body: str | bytes, status: str = "200 OK", *headers: str) -> Says:
    content = body if isinstance(body, bytes) else body.encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *headers,
        "",
        "",
    ]
    return lambda peer: peer.sendall("\r\n".join(lines).encode() + content)


grants = answers(json.dumps(GRANT))


class Wire:
    def __init__(self, listening: socket.socket, says: Says, tls: ssl.SSLContext | None) -> None:
        self.says, self.port = says, listening.getsockname()[1]
        self.connections = 0
        self.questions: list[str] = []
        self._listening, self._tls, self._open = listening, tls, list[socket.socket]()
        self._lock = threading.Lock()

    def ends_all_connections(self) -> None:
        """Close all connections, as servers do with idle ones."""
        with self._lock:
            for peer in self._open:
                with suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
                peer.close()
            self._open.clear()

    def listen(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        # The client may have closed the connection, or not trust our certificate.
        with suppress(OSError):
            peer.settimeout(30)
            spoken = self._tls.wrap_socket(peer, server_side=True) if self._tls else peer
            with self._lock:
                self._open.append(spoken)
            while question := _question(spoken):
                with self._lock:
                    self.questions.append(question)
                self.says(spoken)


@contextmanager
def wire(says: Says = grants, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        made = Wire(listening, says, tls)
        thread = threading.Thread(target=made.listen, daemon=True)
        thread.start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        made.ends_all_connections()


def _question(peer: socket.socket) -> str:
    """Read one whole request; empty if the other side has closed."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := peer.recv(65536)):
            return ""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    expected = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < expected:
        body += peer.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()
