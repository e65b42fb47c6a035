"""The last run of each task: when, how long and how it ended. One hash in Redis, written by the process that ran it.

For the operator only: it is lost with Redis, and no decision depends on it.
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
    """Store the run; does nothing while Redis is unavailable."""
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
