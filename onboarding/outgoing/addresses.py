"""Decide which network addresses webhooks may go to."""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv6 networks whose addresses end with an IPv4 address: NAT64 (RFC 6052) and the deprecated "IPv4-compatible" form
#: (RFC 4291, section 2.5.5.1).
_EMBEDDING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
#: NAT64 for local use (RFC 8215): its translator may lead anywhere.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where webhooks may go, besides https to addresses of the internet."""

    #: This computer, also with plain http: in practice mode.
    loopback: bool = False
    #: Private and reserved networks, and this computer: WEBHOOK_ALLOW_PRIVATE=on.
    private: bool = False


def may_reach(address: str, reach: Reach) -> bool:
    """Return whether a webhook may go to this IP address.

    An IPv6 address that leads to an IPv4 address, such as `::ffff:127.0.0.1`, counts as the IPv4 address.
    """
    found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if found.is_multicast or found.is_unspecified:
        return False
    if reach.private or (found.is_loopback and reach.loopback):
        return True
    if isinstance(found, ipaddress.IPv6Address) and (found.is_site_local or found in _LOCAL_NAT64):
        return False
    return found.is_global and not found.is_reserved


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address) or address == ipaddress.IPv6Address("::1"):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and any(address in net for net in _EMBEDDING):
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded or address
