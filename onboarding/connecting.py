"""Connect to one of a host's addresses before a deadline, and limit how long the connection is used."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

#: An item of the list that `socket.getaddrinfo` returns.
AddressInfo = tuple[int, int, int, str, Any]


def addresses_of(host: str, port: int) -> list[AddressInfo]:
    """Resolve a host name. Raises OSError."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def connect(addresses: Sequence[AddressInfo], deadline: float) -> socket.socket:
    """Connect to the first address that answers. Raises OSError, after `deadline` (`time.monotonic`) at the latest.

    Each address but the last one gets half of the time that is left, so a host is reached even if its IPv6 addresses
    are not. `socket.create_connection` would give each of them the whole time. The socket's timeout ends at the
    deadline.
    """
    for number, (family, kind, protocol, _name, address) in enumerate(addresses, 1):
        left, is_last = seconds_left(deadline), number == len(addresses)
        candidate = socket.socket(family, kind, protocol)
        candidate.settimeout(left if is_last else left / 2)
        try:
            candidate.connect(address)
            candidate.settimeout(seconds_left(deadline))
        except OSError:
            candidate.close()
            if is_last:
                raise
        else:
            return candidate
    raise OSError("The host has no address.")


def shut_down_at(sock: socket.socket, deadline: float) -> threading.Timer:
    """Shut a socket down at the deadline, unless the returned timer is canceled before.

    A read from the socket then ends. The socket's own timeout would not end it as long as single bytes arrive.
    """
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _shut_down, (sock,))
    timer.daemon = True
    timer.start()
    return timer


def _shut_down(sock: socket.socket) -> None:
    # A duplicate, because `SSLSocket.shutdown` would change the object from which another thread reads.
    with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


def seconds_left(deadline: float) -> float:
    """Return the seconds until the deadline. Raises TimeoutError after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
