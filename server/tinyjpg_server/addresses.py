"""Whom to count a network address to."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

# Of an IPv6 address; the first half names the network (RFC 4291, 2.5.4).
_HOST_BITS: Final = 64


def network_of(address: str) -> str:
    """Whom to count the requests from `address` to: of IPv6 the first 64 bits.

    A single connection commonly has all of them to itself. What is no address stays as it is.
    """
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS))
