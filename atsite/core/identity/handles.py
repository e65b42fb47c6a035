"""The did that a handle points to: a DNS TXT record or a file on its host (https://atproto.com/specs/handle).

The result is only the claim of the handle. Before you show or trust it, check that the did's document has the same
handle; Resolver.identify does both.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.resolver

from atsite.core.atproto.syntax import Did, Handle, is_did, is_reserved
from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.outgoing import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from atsite.core.outgoing import Client

#: The timeout of both methods together, in seconds.
HANDLE_SECONDS = 3.0
#: A did is far shorter; the file is untrusted.
_WELL_KNOWN_BYTES = 4096


async def txt_records(name: str) -> list[str]:
    """The texts of a TXT record, [] if there is none. Raises LookupFailed."""
    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=HANDLE_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.NoNameservers):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise LookupFailed(f"DNS did not answer: {type(error).__name__}") from error
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]


@dataclass(frozen=True, slots=True)
class HandleLookup:
    """How handles are looked up: through the XRPC server at `resolver_url` if given, else by DNS and HTTPS."""

    resolver_url: str = ""
    loopback: bool = False
    txt: Callable[[str], Awaitable[list[str]]] = field(default=txt_records)


async def did_of_handle(client: Client, handle: Handle, lookup: HandleLookup) -> Did:
    """The did that `handle` (lower case) claims. Raises NoSuchIdentity, LookupFailed."""
    if lookup.resolver_url:
        return await _by_server(client, handle, lookup.resolver_url)
    if is_reserved(handle) and not lookup.loopback:
        raise NoSuchIdentity(f"{handle} is a reserved name")
    # Both at once, because the file is often slow. DNS wins if both answer; the specification does not say which.
    by_file = asyncio.create_task(_by_file(client, handle))
    try:
        return await _by_dns(handle, lookup)
    except NoSuchIdentity:
        return await by_file
    except LookupFailed as dns_failure:
        try:
            return await by_file
        except NoSuchIdentity:
            raise dns_failure from None  # DNS may still know
    finally:
        by_file.cancel()
        await asyncio.gather(by_file, return_exceptions=True)


async def _by_dns(handle: Handle, lookup: HandleLookup) -> Did:
    """The did in _atproto.HANDLE; two different ones count as none."""
    texts = await lookup.txt(f"_atproto.{handle}")
    dids = {text.removeprefix("did=") for text in texts if text.startswith("did=")}
    if len(dids) == 1 and is_did(did := dids.pop()):
        return did
    raise NoSuchIdentity(f"{handle} has no did in DNS")


async def _by_file(client: Client, handle: Handle) -> Did:
    url = f"https://{handle}/.well-known/atproto-did"
    try:
        fetched = await client.get(url, timeout=HANDLE_SECONDS, max_bytes=_WELL_KNOWN_BYTES)
    except FetchFailed as error:
        if error.reason == "timeout":  # usual for a host without a web server
            raise LookupFailed(f"{handle}: {error}") from error
        raise NoSuchIdentity(f"{handle}: {error}") from error
    text = fetched.body.decode("utf-8", "replace").strip()
    if fetched.status == 200 and is_did(text):
        return text
    raise NoSuchIdentity(f"{handle} has no did on its host")


async def _by_server(client: Client, handle: Handle, resolver_url: str) -> Did:
    """com.atproto.identity.resolveHandle of a trusted server."""
    url = f"{resolver_url}/xrpc/com.atproto.identity.resolveHandle?handle={handle}"
    try:
        fetched = await client.get(url, timeout=HANDLE_SECONDS)
        content = fetched.json() if fetched.status == 200 else {}
    except FetchFailed as error:
        raise LookupFailed(f"{handle}: {error}") from error
    did = content.get("did") if isinstance(content, dict) else None
    if isinstance(did, str) and is_did(did):
        return did
    if fetched.status in (200, 400, 404):
        raise NoSuchIdentity(f"{handle} has no did")
    raise LookupFailed(f"{handle}: the server answered with status {fetched.status}")
