"""A cache in Redis for the totals of /stats, which take seconds to minutes to count on a large site.

A task counts them into Redis every few minutes; requests only read. If nothing is cached, one process (a lock in Redis)
counts, its callers wait a little and share the result, and callers that would wait longer get an error and retry later.
If Redis is down each process counts for itself, once at a time, and keeps the result for a minute.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Final

import structlog
from django.core.cache import cache

from atsite.core.errors import AtsiteError
from atsite.core.kv.django_cache import CACHE_AWAY
from atsite.core.kv.lock import single_flight
from atsite.core.ttl_cache import TtlCache
from indexer.index.stats import Totals

if TYPE_CHECKING:
    from collections.abc import Callable


logger = structlog.get_logger(__name__)

#: The key in Django's cache.
KEY: Final = "stats:totals"
LOCK: Final = "stats.totals"
#: Many missed refreshes: older totals would mislead, so they are counted again.
CACHE_SECONDS: Final = 3600
#: A counting process that was killed blocks the others no longer than this. If a count takes longer, a second one
#: starts beside it, which costs time but does no harm.
LOCK_SECONDS: Final = 120
#: How long a caller waits for a count that runs: callers give up after 30 s.
WAIT_SECONDS: Final = 10.0
#: If Redis is down: the age of this process's count at which a new one starts.
OWN_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1


class TotalsNotReady(AtsiteError):
    """The totals are being counted, and nothing older is known."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Totals, and when their count began."""

    totals: Totals
    computed_at: datetime


class TotalsCache:
    """The totals as this process knows them. Thread-safe; `count` is what takes long."""

    def __init__(self, count: Callable[[], Totals], *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._count = count
        self._wait_seconds = wait_seconds
        self._guard = Lock()
        self._running: Future[Snapshot] | None = None
        self._own: TtlCache[str, Snapshot] = TtlCache(size=1, seconds=OWN_SECONDS)

    def current(self) -> Snapshot:
        """The newest totals there are. Raises TotalsNotReady after the wait, and whatever counting raises."""
        try:
            cached = _load()
        except CACHE_AWAY:
            cached = self._own.peek(KEY)
        if cached is not None:
            return cached
        try:
            return self._running_count().result(self._wait_seconds)
        except TimeoutError as error:
            raise TotalsNotReady("the totals are being counted, try again in a minute") from error

    def refresh(self) -> None:
        """Count and store, unless another process is at it. Raises what counting raises, and CACHE_AWAY."""
        with single_flight(LOCK, LOCK_SECONDS) as mine:
            if mine:
                _store(self._counted())

    def _running_count(self) -> Future[Snapshot]:
        """The count that runs in this process; a new one where none does."""
        with self._guard:
            if self._running is None or self._running.done():
                self._running = Future()
                # A daemon thread: a count may take longer than the service lives, and is not needed then.
                Thread(target=self._run, args=(self._running,), name="stats-totals", daemon=True).start()
            return self._running

    def _run(self, result: Future[Snapshot]) -> None:
        try:
            result.set_result(self._count_once())
        except BaseException as error:
            result.set_exception(error)

    def _count_once(self) -> Snapshot:
        """Count alone among all processes, or wait for what the one that counts has stored."""
        try:
            while True:
                with single_flight(LOCK, LOCK_SECONDS) as mine:
                    if mine:
                        return self._stored_or_counted()
                sleep(_POLL_SECONDS)
                if (snapshot := _load()) is not None:
                    return snapshot
        except CACHE_AWAY:
            return self._counted()

    def _stored_or_counted(self) -> Snapshot:
        """With the lock in hand: the one who had it before may have stored a count since this caller looked."""
        try:
            if (snapshot := _load()) is not None:
                return snapshot
        except CACHE_AWAY:
            logger.warning("stats.cache_not_read")
        snapshot = self._counted()
        try:
            _store(snapshot)
        except CACHE_AWAY:  # the count is still worth giving to those who wait
            logger.warning("stats.not_cached")
        return snapshot

    def _counted(self) -> Snapshot:
        started = datetime.now(UTC)
        snapshot = Snapshot(self._count(), started)
        self._own.put(KEY, snapshot)
        return snapshot


def _load() -> Snapshot | None:
    """What is cached; None also for what an older version of this project stored in another form."""
    try:
        entry = cache.get(KEY)
        if entry is None:
            return None
        return Snapshot(Totals(**entry["totals"]), datetime.fromisoformat(entry["computed_at"]))
    except (ValueError, TypeError, KeyError):
        return None


def _store(snapshot: Snapshot) -> None:
    entry = {"totals": asdict(snapshot.totals), "computed_at": snapshot.computed_at.isoformat()}
    cache.set(KEY, entry, timeout=CACHE_SECONDS)
