"""When each task ran last, how long it took and how it ended: one hash in Redis, written by the process that ran it.

Kept for the operator's eyes only; lost with Redis, and nothing is decided by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads it
from typing import TYPE_CHECKING, Final, cast

import msgspec

from atsite.core import kv
from atsite.core.kv import quick

if TYPE_CHECKING:
    import redis

KEY: Final = f"{kv.PREFIX}task-runs"


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a task. `outcome`: succeeded, failed or retried."""

    ended_at: datetime
    seconds: float
    outcome: str


def note(task: str, run: Run) -> None:
    """Remember the run; a Redis that is away forgets it."""
    data = msgspec.json.encode(run)
    try:
        quick.ask(lambda client: client.hset(KEY, task, data))
    except quick.RedisAway:
        return


def last_runs() -> dict[str, Run]:
    """Task name -> its last run. Raises RedisAway."""

    def ask(client: redis.Redis) -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", client.hgetall(KEY))

    return {task.decode(): msgspec.json.decode(data, type=Run) for task, data in quick.ask(ask).items()}
