"""A short-lived cache of which posts may be shown: readers of a popular page ask for the same posts all the time.

An entry is at most SECONDS old (docs/decisions/0032-liveness.md). Posts that are read past a part of that are looked up
again in the background, while readers use the cached entries. A statement for 5,000 posts takes 7 times as long as one
for 40, so posts of many pages are looked up together: while one look-up runs, the next one collects.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Set

    from feeds.ranking.feed import PostKey

    Call = Callable[[Callable[[], Set[PostKey]]], Set[PostKey]]

log = structlog.get_logger(__name__)

#: With the life of a finished page (feeds.serving.ready_pages) a post disappears within a second. The index itself
#: learns of a delete up to a second after it was sent (indexer.stream.batch.Limits.age).
SECONDS: Final = 0.5
#: The part of its life after which an entry is renewed when it is read. Pages are made again every 0.3 s
#: (feeds.serving.ready_pages): each entry is read once between its renewal and its end.
RENEW_AFTER: Final = 0.4
#: Cached posts, 200 bytes each: one second of several hundred different pages.
SIZE: Final = 50_000
#: Posts that one statement looks up, about, and how many statements run at a time.
AT_ONCE: Final = 5_000
LOOK_UPS: Final = 2


@dataclass(slots=True)
class _Life:
    lives: bool
    #: When it was asked for, and whether it is asked for again.
    at: float
    is_due: bool = False


@dataclass(slots=True)
class _Batch:
    """Posts that are looked up together."""

    posts: dict[PostKey, None] = field(default_factory=dict)
    found: Future[Set[PostKey]] = field(default_factory=Future)


class Liveness:
    """A cache of `look_up`. Thread-safe. `seconds` 0: nothing is cached."""

    def __init__(
        self,
        look_up: Callable[[Collection[PostKey]], Set[PostKey]],
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._renew_after = RENEW_AFTER * seconds
        self._lives: TtlCache[PostKey, _Life] = TtlCache(size=SIZE, seconds=seconds, clock=clock)
        self._lock = Lock()
        self._turn = BoundedSemaphore(LOOK_UPS)
        #: The batch that collects posts.
        self._next: _Batch | None = None
        #: Posts to look up again, in the order in which they were read.
        self._due: dict[PostKey, None] = {}
        self._renewing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feeds-liveness")

    def living(self, posts: Collection[PostKey], call: Call) -> Set[PostKey]:
        """Those of `posts` that may be shown; `call` runs a look-up if one is needed.

        Raises what `call` raises; nothing is cached then.
        """
        now = self._clock()
        living, asked, due = set(), [], []
        for post in posts:
            life = self._lives.peek(post, at=now)
            if life is None:
                asked.append(post)
                continue
            if life.lives:
                living.add(post)
            if not life.is_due and now - life.at >= self._renew_after:
                life.is_due = True
                due.append(post)
        if due:
            self._renew(due, call)
        return living | self._looked_up(asked, call) if asked else living

    def _looked_up(self, posts: list[PostKey], call: Call) -> Set[PostKey]:
        """Those of `posts` that may be shown, looked up after this call began. Raises what `call` raises."""
        with self._lock:
            batch = self._next
            mine = batch is None or len(batch.posts) >= AT_ONCE
            if batch is None or mine:
                batch = self._next = _Batch()
            batch.posts.update(dict.fromkeys(posts))
        if mine:
            self._answer(batch, call)
        found = batch.found.result()
        return {post for post in posts if post in found}

    def _answer(self, batch: _Batch, call: Call) -> None:
        with self._turn:
            with self._lock:
                if self._next is batch:
                    self._next = None
            now = self._clock()  # before the look-up: an entry is as old as the question
            try:
                found = call(lambda: self._look_up(list(batch.posts)))
            except BaseException as error:
                batch.found.set_exception(error)
                return
        for post in batch.posts:
            self._lives.put(post, _Life(post in found, now), at=now)
        batch.found.set_result(found)

    def _renew(self, posts: list[PostKey], call: Call) -> None:
        with self._lock:
            self._due.update(dict.fromkeys(posts))
            if self._renewing:
                return
            self._renewing = True
        self._thread.submit(self._renew_all, call)

    def _renew_all(self, call: Call) -> None:
        """Look up what is due, and what becomes due meanwhile. Entries that cannot be renewed expire."""
        while batch := self._next_batch():
            try:
                self._looked_up(batch, call)
            except StoreAway:
                continue
            except Exception:
                log.exception("feeds.liveness_not_renewed")

    def _next_batch(self) -> list[PostKey]:
        with self._lock:
            batch = list(islice(self._due, AT_ONCE))
            for post in batch:
                del self._due[post]
            self._renewing = bool(batch)
            return batch
