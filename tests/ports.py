"""Ports for servers that a test or a tool starts: each is given once, to one of the processes that run tests.

The kernel's own choice is free only until another process binds it, and some servers take seconds before they listen.
"""

import itertools
import os
import secrets
import socket

#: Below the range of outgoing connections (Linux: from 32768; macOS, Windows: from 49152).
_PORTS = range(20_000, 32_000)


def _share() -> range:
    """Return the ports of this process: pytest-xdist names its workers `gw0`, `gw1` …"""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return _PORTS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) :: workers]


def _rotated() -> "itertools.cycle[int]":
    share = _share()
    # Another run of the tests on this computer starts at another port.
    first = secrets.randbelow(len(share))
    return itertools.cycle([*share[first:], *share[:first]])


_rotation = _rotated()


def free_port() -> int:
    return next(port for port in _rotation if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
