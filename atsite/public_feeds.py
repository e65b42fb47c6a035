"""The public feeds of the site for its public page, with the links of those that are published.

Whether a feed is published is in its publisher's repo. That is asked for in the background, and known for a while: a
page waits for it briefly, and otherwise shows the feed without a link.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.pds import Pds
from atsite.core.ttl_cache import TtlCache
from feeds import definitions
from feeds.publishing.generator_record import published_service
from feeds.publishing.network import client_and_resolver
from search.web.public.listed_feeds import PublicFeed
from search.web.public.words import APP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.atproto.aturi import AtUri

#: Seconds that an answer of the network is kept, and that a page waits for one.
KEPT_SECONDS: Final = 600.0
WAIT_SECONDS: Final = 1.5
#: Seconds for all feeds of a site together.
NETWORK_SECONDS: Final = 20.0

#: Whether a feed is published by this service. What the network did not say counts as no.
_published: Final[TtlCache[AtUri, bool]] = TtlCache(size=1_000, seconds=KEPT_SECONDS)
_lock: Final = Lock()
_asking: list[Future[None]] = []


def public_feeds() -> Sequence[PublicFeed]:
    """The enabled feeds that everyone can read, by name. Raises DatabaseError."""
    public = [feed for feed in definitions.enabled(config) if not feed.private]
    _learn([feed.uri for feed in public])
    return [
        PublicFeed(feed.display_name, feed.description, _url(feed.uri) if _published.peek(feed.uri) else "")
        for feed in public
    ]


def _url(feed: AtUri) -> str:
    return f"{APP}/{feed.did}/feed/{feed.rkey}"


def _learn(feeds: Sequence[AtUri]) -> None:
    """Begin to ask about those that are not known, unless that runs already, and wait for the answer for a moment."""
    with _lock:
        unknown = [feed for feed in feeds if _published.peek(feed) is None]
        if not unknown or not config.service_did:
            return
        if not _asking or _asking[0].done():
            _asking[:] = [Future()]
            Thread(target=_ask, args=(unknown, _asking[0]), name="published-feeds", daemon=True).start()
        running = _asking[0]
    with suppress(TimeoutError):
        running.result(WAIT_SECONDS)


def _ask(feeds: Sequence[AtUri], done: Future[None]) -> None:
    try:
        with suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(_ask_network(feeds), NETWORK_SECONDS))
        for feed in feeds:
            if _published.peek(feed) is None:
                _published.put(feed, False)
    finally:
        done.set_result(None)


async def _ask_network(feeds: Sequence[AtUri]) -> None:
    async with client_and_resolver() as (client, resolver):
        for feed in feeds:
            with suppress(AtsiteError):
                document = await resolver.document(feed.did)
                if document.pds is not None:
                    service = await published_service(Pds(client, document.pds), feed.did, feed.rkey)
                    _published.put(feed, service == config.service_did)
