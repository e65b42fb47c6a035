"""Many feeds and many readers for the benchmarks: 200 feeds, and 10,000 readers with rankings of their own."""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final

from bench.measured_site import PUBLISHER, SERVICE, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from feeds.ranking.feed import PostKey

FEEDS, POSTS_OF_FEED = 200, 1_000
READERS, POSTS_OF_READER = 10_000, 500
#: The feed in which each reader gets a ranking of their own.
OWN: Final = "at-bangers"


def many_feeds() -> list[str]:
    """Define the feeds and store a ranking of each; their names."""
    from feeds.models import FeedDefinition

    names = [f"hot-{number:03}" for number in range(FEEDS)]
    for name in names:
        FeedDefinition.objects.get_or_create(rkey=name, kind="hot", display_name=name)
    _store({f"{PUBLISHER}/{name}": POSTS_OF_FEED for name in names})
    return names


#: Feeds made of the same search: one whose tail is renewed, and one whose is not.
SEARCHES: Final = ("found", "found-without-a-tail")
QUERY: Final = 'bread OR sea OR walk OR orchestra -"forgot my umbrella"'


def search_feeds() -> None:
    """Define the feeds made of a search."""
    from feeds.models import FeedDefinition

    for name in SEARCHES:
        FeedDefinition.objects.get_or_create(
            rkey=name, kind="search", display_name=name, parameters={"query": QUERY, "self_labelled": True}
        )


def renew_tails() -> None:
    """A round of the tails of the first of them, and time for the copies of the processes to end."""
    from atsite.core.clock import now_us
    from feeds.ranking import tails
    from feeds.serving.registry import registry, tailed_feeds

    feeds = [feed for feed in tailed_feeds(registry()) if feed.definition.rkey == SEARCHES[0]]
    assert set(tails.renew(feeds, now=now_us).values()) <= {"filled", "extended", "compared"}
    time.sleep(1.1)


def own_rankings(private: ec.EllipticCurvePrivateKey) -> list[str]:
    """Store a ranking and the key of each reader; a request of each, with a token."""
    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import public_key_of
    from atsite.core.atproto.syntax import Did
    from atsite.core.identity.did_cache import DidCache
    from atsite.core.kv import quick
    from feeds.models import FeedDefinition
    from tests.tokens import token

    feed = FeedDefinition.objects.get(rkey=OWN)
    feed.parameters = {"source": "viewer_best", "min_likes": 1}
    feed.save()
    readers = [Did("did:plc:" + "z" * 16 + _letters(number)) for number in range(READERS)]
    _store({f"{PUBLISHER}/{OWN}/{sha256(did.encode()).hexdigest()[:32]}": POSTS_OF_READER for did in readers})

    async def keep_keys() -> None:
        cache, key = DidCache(quick.asking()), public_key_of(private)
        for did in readers:
            await cache.keep_document(DidDocument(did=did, handle=None, signing_key=key, pds=None))

    asyncio.run(keep_keys())
    until = int(time.time()) + 1_800
    return [request(OWN, token(private, iss=did, aud=SERVICE, exp=until)) for did in readers]


def _letters(number: int) -> str:
    """A number as eight letters of base32."""
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> shift & 31] for shift in range(0, 40, 5))


def _store(sizes: dict[str, int]) -> None:
    """Store a ranking of that many posts of the network, chosen by chance, under each name."""
    from atsite.core.atproto.tid import tid_of_micros
    from atsite.core.clock import now_us
    from feeds.ranking.generations import Generations
    from feeds.ranking.ranking import Generation

    generations, now, posts, random = Generations(), now_us(), _posts(), Random(7)
    for name, size in sizes.items():
        chosen = tuple(random.sample(posts, size))
        generations.store(name, Generation(tid_of_micros(now), chosen), now=now)


def _posts() -> Sequence[PostKey]:
    from atsite.core.clickhouse import door
    from feeds.ranking.feed import PostKey

    return door.query(
        "SELECT rkey, did FROM posts FINAL WHERE deleted = 0 AND eligible", {}, into=PostKey, name="bench.posts"
    )
