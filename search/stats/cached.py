"""The cache in Redis of every number of /stats that takes seconds to minutes to count on a large site.

A task counts them into Redis; requests only read. If nothing is cached, one process (a lock in Redis)
counts, its callers wait a little and share the result, and callers that would wait longer get an error and retry later.
If Redis is down each process counts for itself, once at a time, and keeps the result for a minute.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import structlog
from django.core.cache import cache

from atsite.core.errors import AtsiteError
from atsite.core.kv.django_cache import CACHE_AWAY
from atsite.core.kv.lock import single_flight
from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import TypeAdapter


T = TypeVar("T")
logger = structlog.get_logger(__name__)

#: Many missed refreshes: older numbers would mislead, so they are counted again.
CACHE_SECONDS: Final = 3600
#: A counting process that was killed blocks the others no longer than this. If a count takes longer, a second one
#: starts beside it, which costs time but does no harm.
LOCK_SECONDS: Final = 120
#: How long a caller waits for a count that runs: callers give up after 30 s.
WAIT_SECONDS: Final = 10.0
#: If Redis is down: the age of this process's count at which a new one starts.
OWN_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1


class NotCounted(AtsiteError):
    """The numbers are being counted, and nothing older is known."""


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """Numbers, and when their count began."""

    value: T
    computed_at: datetime


class Cached(Generic[T]):
    """The numbers called `name`, as this process knows them. Thread-safe; `count` is what takes long.

    `form` writes and reads the numbers as JSON; `seconds`: how long they are kept.
    """

    def __init__(
        self,
        name: str,
        count: Callable[[], T],
        form: TypeAdapter[T],
        *,
        seconds: int = CACHE_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._name = name
        #: The key in Django's cache.
        self.key = f"stats:{name}"
        self.lock = f"stats.{name}"
        self._count = count
        self._form = form
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._guard = Lock()
        self._running: Future[Snapshot[T]] | None = None
        self._own: TtlCache[str, Snapshot[T]] = TtlCache(size=1, seconds=OWN_SECONDS)

    def current(self) -> Snapshot[T]:
        """The newest numbers there are. Raises NotCounted after the wait, and whatever counting raises."""
        try:
            cached = self._load()
        except CACHE_AWAY:
            cached = self._own.peek(self.key)
        if cached is not None:
            return cached
        try:
            return self._running_count().result(self._wait_seconds)
        except TimeoutError as error:
            raise NotCounted(f"the {self._name} are being counted, try again in a minute") from error

    def refresh(self, *, older_than: timedelta | None = None) -> None:
        """Count and store, unless another process is at it, or what is stored is not `older_than` this.

        Raises what counting raises, and CACHE_AWAY.
        """
        with single_flight(self.lock, LOCK_SECONDS) as mine:
            if mine and (older_than is None or self._age() >= older_than):
                self._store(self._counted())

    def _running_count(self) -> Future[Snapshot[T]]:
        """The count that runs in this process; a new one where none does."""
        with self._guard:
            if self._running is None or self._running.done():
                self._running = Future()
                # A daemon thread: a count may take longer than the service lives, and is not needed then.
                Thread(target=self._run, args=(self._running,), name=f"stats-{self._name}", daemon=True).start()
            return self._running

    def _run(self, result: Future[Snapshot[T]]) -> None:
        try:
            result.set_result(self._count_once())
        except BaseException as error:
            result.set_exception(error)

    def _count_once(self) -> Snapshot[T]:
        """Count alone among all processes, or wait for what the one that counts has stored."""
        try:
            while True:
                with single_flight(self.lock, LOCK_SECONDS) as mine:
                    if mine:
                        return self._stored_or_counted()
                sleep(_POLL_SECONDS)
                if (snapshot := self._load()) is not None:
                    return snapshot
        except CACHE_AWAY:
            return self._counted()

    def _stored_or_counted(self) -> Snapshot[T]:
        """With the lock in hand: the one who had it before may have stored a count since this caller looked."""
        try:
            if (snapshot := self._load()) is not None:
                return snapshot
        except CACHE_AWAY:
            logger.warning("stats.cache_not_read")
        snapshot = self._counted()
        try:
            self._store(snapshot)
        except CACHE_AWAY:  # the count is still worth giving to those who wait
            logger.warning("stats.not_cached")
        return snapshot

    def _counted(self) -> Snapshot[T]:
        started = datetime.now(UTC)
        snapshot = Snapshot(self._count(), started)
        self._own.put(self.key, snapshot)
        return snapshot

    def _age(self) -> timedelta:
        snapshot = self._load()
        return timedelta.max if snapshot is None else datetime.now(UTC) - snapshot.computed_at

    def _load(self) -> Snapshot[T] | None:
        """What is cached; None also for what an older version of this project stored in another form."""
        try:
            entry = cache.get(self.key)
            if entry is None:
                return None
            value = self._form.validate_python(entry["value"])
            return Snapshot(value, datetime.fromisoformat(entry["computed_at"]))
        except (ValueError, TypeError, KeyError):
            return None

    def _store(self, snapshot: Snapshot[T]) -> None:
        entry = {
            "value": self._form.dump_python(snapshot.value, mode="json"),
            "computed_at": snapshot.computed_at.isoformat(),
        }
        cache.set(self.key, entry, timeout=self._seconds)
