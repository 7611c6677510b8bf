"""Host names and IP addresses."""

import ipaddress
import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_MAX_LENGTH = 253


def is_host(host: str) -> bool:
    """Return whether this is an IP address or a host name (RFC 1123, section 2.1)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        return len(host) <= _MAX_LENGTH and all(map(_LABEL.match, labels)) and not labels[-1].isdecimal()
    return True


def is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether this is `localhost` or an address of this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def in_url(host: str) -> str:
    """Return the host as URLs name it: an IPv6 address is in brackets."""
    return f"[{host}]" if ":" in host else host
