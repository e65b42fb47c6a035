"""A short lock for work that only one process may do at a time.

The lock lives in Redis, which may be lost at any moment. So it saves work; what must never happen twice is prevented
where it happens. This is the project's one lock that may be lost: what one process holds for as long as it lives is a
Lease (atsite.core.kv.lease), and rows are locked in `default` (atsite.core.copies.versions).
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis
import structlog

from atsite.core import kv

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = structlog.get_logger(__name__)

#: Deletes the lock only if it is still ours.
RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0'


class Lock:
    """A lock named `name` for `seconds`. Not re-entrant; one holder per object. All calls raise redis.RedisError."""

    def __init__(self, name: str, seconds: float, client: redis.Redis | None = None) -> None:
        self.key = f"{kv.PREFIX}lock:{name}"
        self.milliseconds = int(seconds * 1000)
        self.client = client or kv.client()
        self.token = secrets.token_hex(16)

    def acquire(self) -> bool:
        """Take it if it is free; never waits."""
        return bool(self.client.set(self.key, self.token, nx=True, px=self.milliseconds))

    def release(self) -> bool:
        """Release it, unless another process has it. False if it was lost before."""
        return bool(self.client.eval(RELEASE, 1, self.key, self.token))


@contextmanager
def single_flight(name: str, seconds: float, client: redis.Redis | None = None) -> Iterator[bool]:
    """Yields whether this caller does the work; `seconds` must be longer than the work takes.

    with single_flight("stats.totals", 60) as mine:
        if mine: …

    Raises redis.RedisError if Redis is unavailable at the start. If it becomes unavailable later, the lock expires by
    itself.
    """
    lock = Lock(name, seconds, client)
    mine = lock.acquire()
    try:
        yield mine
    finally:
        if mine:
            try:
                lock.release()
            except redis.RedisError:
                logger.warning("lock.not_released", name=name)
