"""Decides which addresses may be connected to, at the moment of connecting.

Checking the URL is not enough: a name can resolve to a private address, or to another address at the second look-up. So
the name is resolved here, every address is checked, and the connection uses exactly the checked address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Prefixes of IPv6 addresses that contain an IPv4 address in the last 32 bits: NAT64 (RFC 6052), IPv4-compatible.
_EMBEDS_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


class ForbiddenAddress(httpcore.ConnectError):
    """The host resolves to an address of a private network (or to none that is public)."""


def is_allowed(address: Address, *, loopback: bool) -> bool:
    """Whether a connection to `address` may be made; `loopback` allows only 127.0.0.0/8 and ::1 in addition."""
    if isinstance(address, ipaddress.IPv6Address):
        if address == ipaddress.IPv6Address("::1"):
            return loopback
        inner = _inner_ipv4(address)
        if inner is not None:
            return is_allowed(inner, loopback=loopback)
    if address.is_loopback:
        return loopback
    return address.is_global and not address.is_multicast


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 transition address, which traffic would really go to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _EMBEDS_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, by the system's resolver. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network backend, which checks every connection. TLS still checks the name: httpcore passes it on."""

    def __init__(
        self,
        inner: httpcore.AsyncNetworkBackend,
        *,
        loopback: bool,
        resolver: Callable[[str, int], Awaitable[list[str]]] = resolve,
    ) -> None:
        self._inner = inner
        self._loopback = loopback
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first allowed address of `host` that answers. Raises httpcore.ConnectError."""
        try:
            addresses = await asyncio.wait_for(self._resolver(host, port), timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} does not resolve") from error
        allowed = [
            each
            for each in addresses
            if is_allowed(ipaddress.ip_address(each.partition("%")[0]), loopback=self._loopback)
        ]
        if not allowed:
            raise ForbiddenAddress(f"{host} is not on the public network")
        problem: Exception = httpcore.ConnectError(host)
        for address in allowed:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Refuses: untrusted input must not name a socket file."""
        raise ForbiddenAddress("unix sockets are not allowed")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore's retries do."""
        await self._inner.sleep(seconds)
