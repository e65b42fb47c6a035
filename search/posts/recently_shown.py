"""Who was shown in search results lately: their names and counts are worth asking for (indexer.index.needed_actors)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

from atsite.core import kv
from atsite.core.atproto.syntax import Did
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Collection

    import redis.client

KEY: Final = f"{kv.PREFIX}search:shown"
#: Authors remembered, the latest shown; enough for hundreds of searches between two rounds of asking.
REMEMBERED: Final = 10_000
_SECONDS: Final = 24 * 3600


def remember(dids: Collection[Did]) -> None:
    """Note that these authors were shown, in one call of Redis; with Redis away they are not."""
    if not dids:
        return
    now = time.time()
    try:
        quick.ask(lambda client: _note(client.pipeline(transaction=False), dict.fromkeys(map(str, dids), now)))
    except quick.RedisAway:
        return


def _note(pipe: redis.client.Pipeline, scores: dict[str, float]) -> None:
    pipe.zadd(KEY, scores)
    pipe.zremrangebyrank(KEY, 0, -REMEMBERED - 1)
    pipe.expire(KEY, _SECONDS)
    pipe.execute()


def shown_authors() -> list[Did]:
    """The authors remembered, the latest shown first. Raises redis.RedisError."""
    found = cast("list[bytes]", kv.client().zrevrange(KEY, 0, -1))
    return [Did(did.decode()) for did in found]
