"""The tests reach this computer and no other, whichever library opens the connection."""

import socket
import urllib.request

import pytest

from tests.sockets import is_this_computer

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "app.localhost", b"127.0.0.9", "", None]
)
def test_this_computer_is_reachable(host: str | bytes | None) -> None:
    assert is_this_computer(host)


@pytest.mark.parametrize("host", ["slack.com", "192.0.2.1", "2001:db8::1", "localhost.example", "0.0.0.0"])
def test_other_computers_are_unreachable(host: str) -> None:
    assert not is_this_computer(host)


def test_opening_a_connection_to_the_outside_fails_the_test() -> None:
    with socket.socket() as connection, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        connection.connect(("192.0.2.1", 443))


def test_asking_for_an_outside_name_fails_the_test_before_any_library_can_catch_it() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"slack\.example"):
        urllib.request.urlopen("https://slack.example", timeout=1)
