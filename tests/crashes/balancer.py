"""A load balancer: one address for several web processes. It skips processes that do not answer."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536


class Balancer:
    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]
        #: The ports of the web processes. The test changes them.
        self.ports: list[int] = []
        self._next = itertools.count()

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        for _ in range(3):
            ports = list(self.ports)
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", ports[next(self._next) % len(ports)]), 5)
                # The limit was for connecting.
                server.settimeout(None)
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()
                server.close()
                break
        client.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what arrives until one side ends; then end both."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def balancing(port: int) -> Iterator[Balancer]:
    with socket.create_server(("127.0.0.1", port), backlog=128) as listening:
        balancer = Balancer(listening)
        thread = threading.Thread(target=balancer.run, daemon=True)
        thread.start()
        yield balancer
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
