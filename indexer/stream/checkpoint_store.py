"""Stores checkpoints: one key in Redis, rows in ClickHouse (indexer.index.checkpoint).

Redis is fast but may be lost; the row is in the same store as the data. One of the two is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core import kv
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.kv import quick
from indexer.index import queries
from indexer.index.checkpoint import UNSYNCED_US, Checkpoint, Stored
from indexer.index.records import indexer_checkpoints
from indexer.stream import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.index.records import Columns

log = structlog.get_logger(__name__)

KEY: Final = f"{kv.PREFIX}indexer:checkpoint"


@dataclass(slots=True)
class CheckpointStore:
    """Saves through `insert`, which returns when ClickHouse has the row (Sink.insert)."""

    insert: Callable[[str, Columns], None]
    _redis_is_away: bool = False

    def save(self, checkpoint: Checkpoint) -> None:
        """Save in ClickHouse, then in Redis. Warns once while Redis is unavailable; a hanging one costs little."""
        self.insert("indexer_checkpoints", indexer_checkpoints(checkpoint))
        data = checkpoint.encode()
        try:
            quick.ask(lambda client: client.set(KEY, data))
        except quick.RedisAway as error:
            metrics.REDIS_FAILURES.inc()
            if not self._redis_is_away:
                log.warning("Redis took no checkpoint; ClickHouse has it", error=str(error)[:200])
            self._redis_is_away = True
        else:
            self._redis_is_away = False


def load_redis() -> Stored:
    """The checkpoint in Redis."""
    try:
        data = quick.ask(lambda client: client.get(KEY), insist=True)
    except quick.RedisAway as error:
        return Stored(None, f"cannot be read: {error}")
    if data is None:
        return Stored(None, "has none")
    try:
        return Stored(Checkpoint.decode(data))  # type: ignore[arg-type]  # the client is synchronous and answers bytes
    except ValueError as error:
        return Stored(None, f"has one that cannot be read: {error}")


def load_clickhouse() -> Stored:
    """The newest checkpoint in ClickHouse."""
    try:
        checkpoint = queries.newest_checkpoint()
        if checkpoint is None:
            return Stored(None, "has none")
        safe_cursor = queries.cursor_before(checkpoint.acked_at - UNSYNCED_US, host=checkpoint.host)
    except ClickHouseError as error:
        return Stored(None, f"cannot be read: {error}")
    return Stored(checkpoint, safe_cursor=safe_cursor)
