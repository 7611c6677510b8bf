"""Keep connections to Slack open: one pool per process. Send once, follow no redirect, end in time."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, ProxySchemeUnknown

from onboarding import concurrency
from onboarding.connecting import addresses_of, connect, shut_down_at
from onboarding.errors import SettingsProblem, SlackDown

_TOTAL_SECONDS = 10.0
#: `connect` is for connection and TLS. The system's resolver has a limit of its own.
_TIMEOUT = urllib3.Timeout(connect=5, total=_TOTAL_SECONDS)
_CHUNK_BYTES = 65_536
_MAX_RESPONSE_BYTES = 5_000_000
#: Firewalls forget a connection that is unused for some minutes, and notify neither side.
_MAX_UNUSED_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: str


class Pool:
    """A pool that all threads of the process share. Raises SettingsProblem for an invalid proxy address."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        options: dict[str, Any] = {"maxsize": concurrency.THREADS, "ssl_context": tls}
        self._direct = _with_our_connections(urllib3.PoolManager(**options))
        self._proxied = self._direct
        proxies = getproxies()
        # Either of HTTPS_PROXY and HTTP_PROXY is enough.
        if proxy := proxies.get("https") or proxies.get("http"):
            self._proxied = _with_our_connections(_proxy_manager(proxy, options))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Release the request slot, send one POST and return the response.

        Raises SlackDown for anything but a complete response, such as a timeout, a reset or a truncated body. Nothing
        is sent twice: a connection that Slack closed while it was unused is replaced before it is used.
        """
        return self._send("POST", url, body, headers)

    def get(self, url: str) -> Reply:
        """Send one GET as `post` sends a POST. Raises SlackDown."""
        return self._send("GET", url, None, {})

    def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        try:
            with concurrency.slot_released():
                return self._request(method, url, body, headers)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise SlackDown(f"Slack did not answer: {type(error).__name__}") from None

    @staticmethod
    def wait(seconds: float) -> None:
        """Wait without a request slot, for example for another process's call to Slack."""
        with concurrency.slot_released():
            time.sleep(seconds)

    def _request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        deadline = time.monotonic() + _TOTAL_SECONDS
        response = self._manager_for(url).request(
            method, url, body=body, headers=headers, timeout=_TIMEOUT, retries=False,
            redirect=False, preload_content=False,
        )  # fmt: skip
        connection: Any = response.connection
        # The connection may be in use by another thread as soon as the response has been read.
        limit: threading.Timer = connection.limit
        try:
            received = bytearray()
            while chunk := response.read1(_CHUNK_BYTES):
                received += chunk
                if len(received) > _MAX_RESPONSE_BYTES:
                    raise ValueError("The response is too long.")
            if time.monotonic() > deadline:
                raise TimeoutError("The response did not end in time.")
            # A byte order mark is not JSON. Bytes of a name that are not UTF-8 do not make the response invalid.
            return Reply(response.status, response.headers, received.decode("utf-8-sig", errors="replace"))
        except BaseException:
            # The rest of this response must not be read as the next one.
            response.close()
            raise
        finally:
            limit.cancel()
            response.release_conn()

    def _manager_for(self, url: str) -> urllib3.PoolManager:
        """Return the pool for a URL. Plain http is for this computer only (settings.py), so it needs no proxy."""
        parts = urlsplit(url)
        if self._proxied is self._direct or parts.scheme == "http" or proxy_bypass(parts.hostname or ""):
            return self._direct
        return self._proxied


class _Connection(HTTPConnection):
    """A connection that limits the time of connecting and of a response, and is not used again after an idle minute."""

    _used_at = 0.0
    _connecting: ExitStack
    #: Ends the response that is being read.
    limit: threading.Timer

    def connect(self) -> None:
        with ExitStack() as self._connecting:
            super().connect()

    def _new_conn(self) -> socket.socket:
        deadline = time.monotonic() + _seconds(self)
        connected = connect(addresses_of(self._dns_host.strip("[]"), self.port or 0), deadline)
        for option in self.socket_options or ():
            connected.setsockopt(*option)
        # TLS replaces the socket, so the limit gets a duplicate.
        duplicate = self._connecting.enter_context(connected.dup())
        self._connecting.callback(shut_down_at(duplicate, deadline).cancel)
        return connected

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # the method of urllib3 returns it, too
        self.limit = shut_down_at(self.sock, time.monotonic() + _seconds(self))
        try:
            response = super().getresponse()
        except BaseException:
            self.limit.cancel()
            raise
        self._used_at = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._used_at < _MAX_UNUSED_SECONDS


def _seconds(connection: HTTPConnection) -> float:
    """Return the connection's timeout, which urllib3 sets before each step."""
    return connection.timeout if isinstance(connection.timeout, int | float) else _TOTAL_SECONDS


class _TlsConnection(_Connection, HTTPSConnection):
    """Such a connection with TLS."""


class _Connections(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsConnections(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _with_our_connections(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    manager.pool_classes_by_scheme = {"http": _Connections, "https": _TlsConnections}
    return manager


def _proxy_manager(proxy: str, options: Mapping[str, Any]) -> urllib3.PoolManager:
    """Return a pool of connections through a proxy. Raises SettingsProblem for an invalid address."""
    address = proxy if "://" in proxy else f"http://{proxy}"
    try:
        user = urllib3.util.parse_url(address).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
        return urllib3.ProxyManager(address, proxy_headers=headers, **options)
    except (LocationParseError, ProxySchemeUnknown):
        raise SettingsProblem("HTTPS_PROXY: must be an address such as http://proxy.example.com:3128.") from None
