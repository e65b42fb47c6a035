"""The dids that sent a valid token lately, in two bounded sets in Redis: one for did:plc, one for did:web.

Anyone can create any number of did:web. In a set of their own they displace only each other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import is_plc_did
from atsite.core.kv import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from atsite.core.atproto.syntax import Did

#: How long a did counts as proven after its last valid token.
PROVEN_SECONDS: Final = 30 * 24 * 3600
#: The most dids in each set; the one seen longest ago is dropped first. About 100 bytes each.
PROVEN_MAX: Final = 100_000


def add(client: redis.Redis, did: Did) -> None:
    """Record that `did` sent a valid token now."""
    pipeline = client.pipeline(transaction=False)
    pipeline.zadd(_key(did), {did: time.time()})
    pipeline.zremrangebyrank(_key(did), 0, -PROVEN_MAX - 1)
    pipeline.expire(_key(did), PROVEN_SECONDS)
    pipeline.execute()


def ask(pipeline: redis.client.Pipeline, dids: Sequence[Did]) -> None:
    """Add one command per did to `pipeline`; pass each reply to `is_proven`."""
    for did in dids:
        pipeline.zscore(_key(did), did)


def is_proven(score: float | None) -> bool:
    """Whether a reply to `ask` means that the did is proven."""
    return score is not None and float(score) > time.time() - PROVEN_SECONDS


def _key(did: Did) -> str:
    return f"{PREFIX}readers:{'plc' if is_plc_did(did) else 'web'}"
