"""The table of addresses that `up` prints. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from atsite.core.config import Config
    from atsite.supervision.children import Site


#: The processes with a metrics port.
MEASURED = ("indexer", "feedgen", "search", "admin", "worker")


def feed_address(site: Site, uri: str, limit: int) -> str:
    """The URL of a page of the feed `uri` (an at-uri) at the feed generator."""
    return f"{site.url('feedgen')}/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(uri, safe=':/')}&limit={limit}"


def own_host(config: Config) -> str:
    """The Host header without which the services of this site refuse a request to 127.0.0.1; "" if any host will do."""
    if not config.production or "*" in config.allowed_hosts:
        return ""
    return next((host.lstrip(".") for host in config.allowed_hosts), "")


def address_table(site: Site, feed_uri: str | None, *, host: str = "", public_page: bool = False) -> str:
    """The addresses, one per line, and a command to try first, which sends `host` as the Host header."""
    search = site.url("search")
    rows = [
        ("feeds", f"{site.url('feedgen')}/xrpc/app.bsky.feed.describeFeedGenerator"),
        ("search", f"{search}/xrpc/app.bsky.unspecced.searchPostsSkeleton?q=music&limit=5"),
        ("statistics", f"{search}/stats"),
        ("clean-ups", f"{search}/cleanup/"),
        *([("public page", f"{search}/")] if public_page else []),
        ("admin", f"{site.url('admin')}/admin/"),
        *((f"metrics of {name}", f"{site.url(f'{name}_metrics')}/metrics") for name in MEASURED),
        ("logs", str(site.logs)),
    ]
    if feed_uri is not None:
        rows.insert(0, ("feed", feed_address(site, feed_uri, 50)))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {address}" for name, address in rows]
    curl = f"curl -s -H 'Host: {host}'" if host else "curl -s"
    return "\n".join([*lines, "", f"  Try:  {curl} '{rows[0][1]}'"])
