"""Check web addresses.

A failed check raises ValueError. Its message completes a sentence that begins with the name of a setting or an input.
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import SplitResult, unquote_plus, urlencode, urlsplit, urlunsplit

from onboarding import hosts
from onboarding.characters import has_blanks

_MAX_ADDRESS_LENGTH = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Scheme, authority, and the rest from the path on.
_HOST_PAGE = re.compile(r"(https?)://([^/?]+)([/?].*)?\Z", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?\Z", re.IGNORECASE)
#: A last label that makes browsers read a host name as an IPv4 address.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


def origin(address: str) -> str:
    """Return scheme, host and port as browsers write them in `Origin`: in lower case, without a scheme's own port.

    Raises ValueError for an address that has more parts.
    """
    parts = _web_address(address, "https://connect.example.com")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an origin only: no path, query or user")
    return _origin(parts.scheme, parts.hostname or "", parts.port)


def base(address: str) -> str:
    """Return the address with a slash at its end. Raises ValueError for plain http beyond this computer."""
    parts = _web_address(address, "https://slack.com/api/")
    if parts.query or parts.fragment:
        raise ValueError("must be an address such as https://slack.com/api/")
    if parts.scheme == "http" and not hosts.is_loopback(parts.hostname or ""):
        raise ValueError("must use https unless it is on this computer")
    return address if address.endswith("/") else f"{address}/"


def site_origin(text: str) -> str:
    """Return the origin of a host's site as browsers send it. Raises ValueError for anything beyond an origin."""
    found, rest = _host_page(text)
    if rest not in ("", "/"):
        raise ValueError("must be an origin only: no path and no query")
    return found


def page_origin(address: str) -> str:
    """Return the origin of a page of a host's site.

    Raises ValueError for an address that browsers and servers may read differently.
    """
    return _host_page(address)[0]


def host_of(address: str) -> str:
    """Return the host of an address that was checked, with its port if the address names one."""
    return urlsplit(address).netloc


def check_link(address: str, *, may_be_local: bool = False) -> None:
    """Check an address of a host's site; an empty one is fine.

    `may_be_local`: plain http is allowed on this computer. Raises ValueError.
    """
    if not address:
        return
    host = urlsplit(page_origin(address)).hostname or ""
    if not address.lower().startswith("https://") and not (may_be_local and hosts.is_loopback(host)):
        raise ValueError("must begin with https://")


def stored_page_origin(address: str) -> str:
    """Return the origin of an address that was stored. Links of an earlier version may have one that is refused now."""
    try:
        return page_origin(address)
    except ValueError:
        parts = urlsplit(address)
        return _origin(parts.scheme, (parts.hostname or "").encode("idna").decode(), parts.port)


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """Return the address with these query parameters, which replace those of the same name."""
    parts = urlsplit(address)
    own = parts.query.split("&") if parts.query else []
    kept = [pair for pair in own if unquote_plus(pair.partition("=")[0]) not in parameters]
    return urlunsplit(parts._replace(query="&".join((*kept, urlencode(parameters)))))


def check_port(address: str) -> None:
    try:
        is_port = urlsplit(address).port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError("must have a number from 1 to 65535 as its port, or none")


def is_plain_http_beyond_loopback(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and not hosts.is_loopback(parts.hostname or "")


@lru_cache(maxsize=256)
def _host_page(address: str) -> tuple[str, str]:
    """Return the origin, and the rest from the path on."""
    if len(address) > _MAX_ADDRESS_LENGTH:
        raise ValueError(f"must have at most {_MAX_ADDRESS_LENGTH} characters")
    if has_blanks(address):
        raise ValueError("must not contain spaces, tabs, line breaks or invisible characters")
    if "\\" in address or "#" in address:
        raise ValueError("must not contain a backslash or a fragment (#)")
    parts = _HOST_PAGE.match(address)
    if parts is None:
        raise ValueError("must begin with https:// and a host name")
    scheme, authority, rest = parts[1].lower(), parts[2], parts[3] or ""
    if "@" in authority:
        raise ValueError("must not contain a user name or password")
    found = _AUTHORITY.match(authority)
    if found is None or (found[2] is not None and not 1 <= int(found[2]) <= 65535):
        raise ValueError("must have a host name, and a port from 1 to 65535 or none")
    host = _host(found[1].lower())
    if scheme == "http" and not hosts.is_loopback(host):
        raise ValueError("must use https, except on this computer (localhost)")
    return _origin(scheme, host, int(found[2]) if found[2] else None), rest


def _origin(scheme: str, host: str, port: int | None) -> str:
    is_default = port is None or port == _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{hosts.in_url(host)}" + ("" if is_default else f":{port}")


def _host(host: str) -> str:
    """Return the host as browsers write it, an IPv6 address without brackets."""
    if not host.isascii():
        raise ValueError("must have its host name in ASCII, such as xn--bcher-kva.example")
    if host.startswith("["):
        try:
            six = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise ValueError("must have a valid IPv6 address between [ and ]") from None
        if six.ipv4_mapped is not None:
            raise ValueError("must have an IPv4 address in its usual form, such as 127.0.0.1")
        return six.compressed
    if not hosts.is_host(host) or (_NUMBER.match(host.rpartition(".")[2]) and not hosts.is_ipv4(host)):
        raise ValueError("must have a host name of letters, digits, hyphens and dots, or an IP address")
    return host


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
    if not hosts.is_host(parts.hostname):
        raise ValueError(f"must have a host name of letters, digits, hyphens and dots, such as {example}")
    return parts
