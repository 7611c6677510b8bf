"""HTTP without TLS, to this computer. Reading the system's certificates takes fifty times as long as such a request."""

import ssl
from typing import Any

import httpx

#: Argument `verify` of an httpx client that sends requests without TLS alone.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def get(address: str, **options: Any) -> httpx.Response:
    """Send one request over a connection of its own. The options are those of `httpx.get`."""
    return httpx.get(address, trust_env=False, verify=NO_CERTIFICATES, **options)


def post(address: str, **options: Any) -> httpx.Response:
    return httpx.post(address, trust_env=False, verify=NO_CERTIFICATES, **options)


def delete(address: str, **options: Any) -> httpx.Response:
    return httpx.delete(address, trust_env=False, verify=NO_CERTIFICATES, **options)
