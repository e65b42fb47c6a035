"""The table of addresses that `up` prints. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from atsite.supervision.children import Site


#: The processes with a metrics port.
MEASURED = ("indexer", "feedgen", "search", "admin", "worker")


def feed_address(site: Site, uri: str, limit: int) -> str:
    """The URL of a page of the feed `uri` (an at-uri) at the feed generator."""
    return f"{site.url('feedgen')}/xrpc/app.bsky.feed.getFeedSkeleton?feed={quote(uri, safe=':/')}&limit={limit}"


def address_table(site: Site, feed_uri: str | None) -> str:
    """The addresses, one per line, and a command to try first."""
    search = site.url("search")
    rows = [
        ("feeds", f"{site.url('feedgen')}/xrpc/app.bsky.feed.describeFeedGenerator"),
        ("search", f"{search}/xrpc/app.bsky.unspecced.searchPostsSkeleton?q=music&limit=5"),
        ("statistics", f"{search}/stats"),
        ("admin", f"{site.url('admin')}/admin/"),
        *((f"metrics of {name}", f"{site.url(f'{name}_metrics')}/metrics") for name in MEASURED),
        ("logs", str(site.logs)),
    ]
    if feed_uri is not None:
        rows.insert(0, ("feed", feed_address(site, feed_uri, 50)))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {address}" for name, address in rows]
    try_first = rows[0][1]
    return "\n".join([*lines, "", f"  Try:  curl -s '{try_first}'"])
