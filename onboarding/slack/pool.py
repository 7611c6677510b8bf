"""Kept-alive connections to Slack, one pool for the whole process. Sends once, follows nothing, and ends in time."""

import io
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, ProxySchemeUnknown

from onboarding import concurrency
from onboarding.errors import SettingsProblem, SlackDown

#: In all: name, connection, TLS, question and answer. A connection that takes half of it comes to nothing.
_LIMIT = urllib3.Timeout(connect=5, total=10)
_LARGEST_ANSWER_BYTES = 5_000_000
#: Firewalls forget a connection that rests for some minutes, and tell neither side.
_LONGEST_REST_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: str


class Pool:
    """Safe for as many threads as ask. Raises SettingsProblem for a proxy that cannot be one."""

    def __init__(self, tls: Any) -> None:
        kept = {"maxsize": concurrency.THREADS, "ssl_context": tls}
        self._direct = _with_our_connections(urllib3.PoolManager(**kept))
        self._proxied = self._direct
        proxies = getproxies()
        # HTTPS_PROXY alone is enough, and so is HTTP_PROXY.
        if proxy := proxies.get("https") or proxies.get("http"):
            self._proxied = _with_our_connections(_through(proxy, kept))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises SlackDown for whatever is no complete answer, such as a time-out, a reset or a cut body.

        Nothing is sent twice: a connection that was closed while it rested is seen before it is used again.
        """
        try:
            with concurrency.slot_released():
                return self._post(url, body, headers)
        except (HTTPError, HTTPException, OSError, ValueError) as fault:
            raise SlackDown(f"Slack did not answer: {type(fault).__name__}") from None

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        answer = self._manager_for(url).request(
            "POST", url, body=body, headers=headers,
            timeout=_LIMIT, retries=False, redirect=False, preload_content=False, decode_content=False,
        )  # fmt: skip
        try:
            text, longest = b"", _LARGEST_ANSWER_BYTES
            while part := answer.read(longest + 1 - len(text)):
                text += part
                if len(text) > longest:
                    raise ValueError("The answer is too long.")
            return Reply(answer.status, answer.headers, text.decode())
        except BaseException:
            # What is left of this answer must not be read as the next one's.
            answer.close()
            raise
        finally:
            answer.release_conn()

    def _manager_for(self, url: str) -> urllib3.PoolManager:
        """Plain http stays on this machine (settings.py), and so never goes through a proxy."""
        parts = urlsplit(url)
        if self._proxied is self._direct or parts.scheme == "http" or proxy_bypass(parts.hostname or ""):
            return self._direct
        return self._proxied


class _Timely(io.RawIOBase):
    """A socket's incoming bytes until the time that the socket has left. Its own limit begins anew with every byte."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._incoming = sock, sock.makefile("rb", buffering=0)
        self._ends = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer did not end in time.")
        self._sock.settimeout(left)
        return self._incoming.readinto(buffer)

    def close(self) -> None:
        self._incoming.close()
        super().close()


class _TimelyResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *given: Any, **named: Any) -> None:
        super().__init__(sock, *given, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Timely(sock))


class _Connection(HTTPConnection):
    """urllib3's, with a limit on the whole answer, and not used again after too long a rest."""

    response_class = _TimelyResponse
    _answered = 0.0

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # urllib3 returns its own, too
        answer = super().getresponse()
        self._answered = time.monotonic()
        return answer

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._answered < _LONGEST_REST_SECONDS


class _TlsConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


class _Connections(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsConnections(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _with_our_connections(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    manager.pool_classes_by_scheme = {"http": _Connections, "https": _TlsConnections}
    return manager


def _through(proxy: str, kept: Mapping[str, Any]) -> urllib3.PoolManager:
    address = proxy if "://" in proxy else f"http://{proxy}"
    try:
        user = urllib3.util.parse_url(address).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
        return urllib3.ProxyManager(address, proxy_headers=headers, **kept)
    except (LocationParseError, ProxySchemeUnknown):
        raise SettingsProblem("HTTPS_PROXY: must be an address such as http://proxy.example.com:3128.") from None
