"""pytest plugin: the tests connect only to this computer.

An audit hook sees every connection that Python code opens, in any library and in any thread.
It does not see browsers, PostgreSQL's C library, or programs that a test starts.
"""

import ipaddress
import sys

import pytest

_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}
_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def pytest_configure() -> None:
    sys.addaudithook(_refuse_the_outside)


def is_this_computer(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event in _LOOKUPS:
        host = arguments[0]
    elif event in _CONNECTIONS and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, str | bytes | None) and not is_this_computer(host):
        # Not an OSError: code under test would take that for a network that is down, and the test might pass.
        pytest.fail(f"A test tried to reach {host!r}. Tests reach only this computer.")
