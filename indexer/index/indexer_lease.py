"""One indexer per site: a lease in Redis, which migrations take as well.

Two indexers would write the same rows, but checkpoints of different progress. So a second one does not start, and an
indexer stops if another has its lease. It does not stop if Redis is unavailable: ClickHouse has the checkpoints, and
the lease is taken again as soon as Redis answers.
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
#: After these seconds Redis counts as unavailable: a hanging Redis must not delay the end of the process.
ANSWER_SECONDS: Final = 1.0
#: When Redis comes back, this process's own old lease may have some milliseconds left.
RETAKE_WAIT: Final = 1.0


class SingleIndexer:
    """Holds the lease while the indexer runs. `check` raises LeaseHeld if another process has it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        if not config.redis_url:
            kv.client()  # raises, and says what to do
        self._client = kv.connect(config.redis_url, answer_seconds=ANSWER_SECONDS)
        self._lease = Lease(NAME, seconds, self._client)
        self._taken: LeaseHeld | None = None
        self._stop = threading.Event()

    def check(self) -> None:
        """Raise LeaseHeld if another process has taken over."""
        if self._taken is not None:
            raise self._taken

    @contextmanager
    def held(self) -> Iterator[SingleIndexer]:
        """Take the lease, renew it from a thread, release it. Raises LeaseHeld if another process keeps it."""
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
