"""Rankings made by a process that serves, for want of a stored one: in the background, each once however many ask.

No request waits here: `start` answers at once, and what it returns ends when the ranking is kept as a generation. A
first page starts one, a cursor never does (docs/decisions/0075-cursors-start-no-ranking.md).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from secrets import randbelow
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from atsite.core.atproto.tid import CLOCK_ID_MAX, tid_of_micros
from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway
from atsite.core.worker_share import share_of
from feeds.ranking import metrics
from feeds.ranking.feed import FeedUnavailable, RankingPending
from feeds.ranking.generations import SECOND
from feeds.ranking.ranking import Generation

if TYPE_CHECKING:
    from collections.abc import Callable

    from atsite.core.web.store_timeouts import StoreGuard
    from feeds.ranking.generations import Generations
    from feeds.ranking.ranking import RankedFeed

logger = structlog.get_logger(__name__)

T = TypeVar("T")

#: Seconds for one ranking. Nobody is held meanwhile, so it may take longer than a reader waits.
BUDGET_SECONDS: Final = 10
#: Rankings made at a time, by all workers: each may use half of the embedded engine's memory.
AT_ONCE: Final = 2
#: A worker that waits for the ranking of another asks this often; a worker that died holds its turn this much longer.
ASK_SECONDS: Final = 0.05
SPARE_SECONDS: Final = 5
#: Rankings begun or waiting for their turn; who asks for one more is told to come again.
RUNNING_MAX: Final = 100
#: Microseconds that a ranking without posts is remembered: it is not stored, and would be made for each first page.
EMPTY: Final = 15 * SECOND
EMPTIES: Final = 1000


class ComputedRankings:
    """What this process ranks by itself. Thread-safe. `clickhouse` says how long one ranking may take."""

    def __init__(self, clickhouse: StoreGuard, *, at_once: int = AT_ONCE) -> None:
        self._clickhouse = clickhouse
        self._threads = ThreadPoolExecutor(share_of(at_once), thread_name_prefix="feeds-ranking")
        self._lock = Lock()
        self._running: dict[str, Future[FeedUnavailable | None]] = {}
        self._empty: TtlCache[str, bool] = TtlCache(size=EMPTIES, seconds=EMPTY)

    def is_empty(self, key: str, *, now: int) -> bool:
        """Whether the ranking `key` was made a moment ago and has no posts."""
        return self._empty.peek(key, at=now) is not None

    def start(
        self, feed: RankedFeed, key: str, generations: Generations, *, now: int, after: int = 0
    ) -> Future[FeedUnavailable | None]:
        """Have the ranking of `feed` made, under the name `key`, unless it is being made already.

        `after`: when the known one was made (unix microseconds); a later one of another process is taken instead.
        The future ends when it is kept (or known to be empty), with the reason where it failed; it raises nothing.
        Raises FeedUnavailable where too many others are to be made.
        """
        with self._lock:
            running = self._running.get(key)
            if running is not None:
                return running
            if len(self._running) >= RUNNING_MAX:
                raise FeedUnavailable("too many rankings are being made, try again in a moment")
            future = self._running[key] = Future()
        self._threads.submit(self._make, feed, key, generations, now, after, future)
        return future

    def _make(
        self,
        feed: RankedFeed,
        key: str,
        generations: Generations,
        now: int,
        after: int,
        future: Future[FeedUnavailable | None],
    ) -> None:
        failed: FeedUnavailable | None = FeedUnavailable("the ranking cannot be computed")
        outcome = "failed"
        try:
            outcome = self._made_once(feed, key, generations, now, after)
            failed = None
        except FeedUnavailable as error:
            failed = error
            logger.warning("feed_ranking_failed", feed=feed.definition.rkey, error=type(error).__name__)
        except StoreAway as error:
            failed = FeedUnavailable("the ranking cannot be computed now")
            logger.warning("feed_ranking_failed", feed=feed.definition.rkey, error=str(error))
        except Exception:
            logger.exception("feed_ranking_failed", feed=feed.definition.rkey)
        finally:
            metrics.COMPUTED.labels(feed=feed.definition.rkey, outcome=outcome).inc()
            with self._lock:
                del self._running[key]
            future.set_result(failed)

    def _made_once(self, feed: RankedFeed, key: str, generations: Generations, now: int, after: int) -> str:
        """Make the ranking unless another process of this site makes it; the outcome. Raises StoreAway."""
        seconds = self._clickhouse.seconds
        until = monotonic() + seconds
        while monotonic() < until:
            with generations.turn(key, seconds=seconds + SPARE_SECONDS) as mine:
                if generations.is_stored(key, after=after, now=now):
                    return "elsewhere"
                if mine:
                    return self._made(feed, key, generations, now)
            sleep(ASK_SECONDS)
        raise StoreAway("another process did not make the ranking in time")

    def _made(self, feed: RankedFeed, key: str, generations: Generations, now: int) -> str:
        posts = self._clickhouse.call(lambda: feed.rank(now, seconds=round(self._clickhouse.seconds)))
        if not posts:
            self._empty.put(key, True, at=now)
            return "empty"
        id = tid_of_micros(now, randbelow(CLOCK_ID_MAX + 1))
        generations.keep(key, Generation(id, tuple(post.key for post in posts)), now=now)
        return "made"


def waiting(make: Callable[[], T], *, seconds: float) -> T:
    """What `make` says, tried again once the ranking that it lacks was made: for callers with a thread of their own.

    A request of a reader has none to spare: feeds.serving.api waits without. Raises what `make` raises.
    """
    try:
        return make()
    except RankingPending as pending:
        wait([pending.made], seconds)
        if pending.made.done() and (failed := pending.made.result()) is not None:
            raise failed from None
    return make()
