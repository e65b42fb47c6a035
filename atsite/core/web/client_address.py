"""The client's address, seen through trusted proxies. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Network = IPv4Network | IPv6Network

#: A household or a server has a whole /64, so its addresses count as one client.
IPV6_CLIENT_BITS: Final = 64


def client_of(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The client's address (an IPv6 one as its /64) from the connection's peer and X-Forwarded-For.

    The header is read from its end for as long as the writer of an entry is trusted; entries before that are
    ignored.
    """
    client = peer
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if not _is_trusted(client, trusted):
            break
        client = hop.strip()
    return _grouped(client)


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        return any(ip_address(address) in network for network in trusted)
    except ValueError:
        return False


def _grouped(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_CLIENT_BITS), strict=False))
