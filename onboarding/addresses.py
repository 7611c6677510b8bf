"""Check web addresses in settings. A failed check raises ValueError; its message completes a sentence that begins with
the setting's name."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from onboarding.characters import has_blanks

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_MAX_HOST_LENGTH = 253


def origin(address: str) -> str:
    """Return scheme, host and port in lower case. Raises ValueError for an address that has more parts."""
    parts = _web_address(address, "https://connect.example.com")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an origin only: no path, query or user")
    host, port = parts.hostname or "", parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" if port is None else f"{parts.scheme}://{shown}:{port}"


def base(address: str) -> str:
    """Return the address with a slash at its end. Raises ValueError for plain http beyond this machine."""
    parts = _web_address(address, "https://slack.com/api/")
    if parts.query or parts.fragment:
        raise ValueError("must be an address such as https://slack.com/api/")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must use https unless it is on this machine")
    return address if address.endswith("/") else f"{address}/"


def check_port(address: str) -> None:
    try:
        _ = urlsplit(address).port
    except ValueError:
        raise ValueError("must have a number from 0 to 65535 as its port, or none") from None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_plain_http_beyond_loopback(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _web_address(address: str, example: str) -> SplitResult:
    # urlsplit drops line breaks and tabs without an error.
    if has_blanks(address):
        raise ValueError(f"must be an address without spaces, such as {example}")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError(f"must be an address such as {example}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be an address such as {example}")
    check_port(address)
    if not _is_host(parts.hostname):
        raise ValueError(f"must have a host name of letters, digits, hyphens and dots, such as {example}")
    return parts


def _is_host(host: str) -> bool:
    """Return whether this is an IP address or a host name (RFC 1123, section 2.1)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        return len(host) <= _MAX_HOST_LENGTH and all(map(_LABEL.match, labels)) and not labels[-1].isdecimal()
    return True
