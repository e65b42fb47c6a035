"""Which dids have shown a good token lately. Kept in Redis: bounded in number, for did:plc and did:web apart.

Apart, because anyone has as many did:web as they like, which then push out each other and no did:plc.
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

#: So long after its last good token a did counts as proven.
PROVEN_SECONDS: Final = 30 * 24 * 3600
#: Dids of one kind that are remembered; beyond that those seen longest ago go. About 100 bytes each.
PROVEN_MAX: Final = 100_000


def add(client: redis.Redis, did: Did) -> None:
    """Remember that a token of `did` was good now."""
    pipeline = client.pipeline(transaction=False)
    pipeline.zadd(_key(did), {did: time.time()})
    pipeline.zremrangebyrank(_key(did), 0, -PROVEN_MAX - 1)
    pipeline.expire(_key(did), PROVEN_SECONDS)
    pipeline.execute()


def ask(pipeline: redis.client.Pipeline, dids: Sequence[Did]) -> None:
    """Add one question for each did to `pipeline`; `is_proven` reads each answer."""
    for did in dids:
        pipeline.zscore(_key(did), did)


def is_proven(score: float | None) -> bool:
    """Whether an answer to `ask` says that the did is proven."""
    return score is not None and float(score) > time.time() - PROVEN_SECONDS


def _key(did: Did) -> str:
    return f"{PREFIX}readers:{'plc' if is_plc_did(did) else 'web'}"
