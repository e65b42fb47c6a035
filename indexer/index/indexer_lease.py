"""One indexer per site, by a lease in Redis that migrations hold, too.

Two indexers would do no harm to the rows, which are the same from either, but their checkpoints would tell of
different progress. So a second one does not start, and one whose lease another has stops. Redis being away is no reason
to stop: ClickHouse has the checkpoints, and as soon as Redis answers again the lease is taken again.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import redis
import structlog

from atsite.core import kv
from atsite.core.config import config
from atsite.core.kv.lease import SECONDS, Lease, LeaseHeld

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

NAME: Final = "indexer"
#: Seconds in which Redis answers, or counts as away: one that hangs must not hold up the end of the process.
ANSWER_SECONDS: Final = 1.0
#: A lease of this process's own past may have some milliseconds left when Redis comes back.
RETAKE_WAIT: Final = 1.0


class SingleIndexer:
    """Holds the lease as long as the indexer runs. `check` raises LeaseHeld when another has it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        if not config.redis_url:
            kv.client()  # raises, and says what to do
        self._client = kv.connect(config.redis_url, answer_seconds=ANSWER_SECONDS)
        self._lease = Lease(NAME, seconds, self._client)
        self._taken: LeaseHeld | None = None
        self._stop = threading.Event()

    def check(self) -> None:
        """Raise LeaseHeld when another process took over."""
        if self._taken is not None:
            raise self._taken

    @contextmanager
    def held(self) -> Iterator[SingleIndexer]:
        """Take the lease, renew it from a thread, give it back. Raises LeaseHeld when another keeps it."""
        try:
            self._lease.acquire()
        except redis.RedisError as error:
            log.warning("Redis is away: it is unknown whether another indexer runs", error=str(error)[:200])
        thread = threading.Thread(target=self._keep, name="indexer-lease", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()
            self._lease.release()
            self._client.close()

    def _keep(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            if self._lease.renew():
                continue
            lease = Lease(NAME, self._seconds, self._client)
            try:
                lease.acquire(wait=RETAKE_WAIT)
            except LeaseHeld as error:
                self._taken = error
                return
            except redis.RedisError:
                continue  # the lease itself has logged that Redis is away
            self._lease = lease
