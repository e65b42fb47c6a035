"""Usage counts of the feeds by day (atsite.core.usage_counts): counted in the process, sent to Redis each second.

A request costs a dictionary entry and a hash. A second of counts is lost if the process dies or Redis is down. Besides
the counts, Redis has two HyperLogLogs for each day and feed: its readers, and the senders of interactions. Viewers are
stored as keyed hashes, never as dids: without SECRET_KEY you cannot find out whether someone read a feed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import Counter

from atsite.core import kv
from atsite.core.config import config
from atsite.core.kv import quick
from atsite.core.periodic_thread import Every
from atsite.core.usage_counts import DAY, Counts
from atsite.core.web.pseudonyms import pseudonym_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import redis

    from atsite.core.atproto.syntax import Did, Rkey

#: requests: pages that were read. interactions: reported by readers' apps.
Metric = Literal["requests", "interactions"]
METRICS: Final[tuple[Metric, ...]] = ("requests", "interactions")

FLUSH_SECONDS: Final = 1.0
#: The longest period over which different viewers can be counted; 12 KB for each busy feed and day.
KEPT_DAYS: Final = 32
#: Days that the worker may be down without losing a count.
WRITTEN_DAYS: Final = 7
_KEPT_SECONDS: Final = KEPT_DAYS * 86_400

LOST: Final = Counter("feed_usage_lost", "Requests and interactions not counted, as Redis was away", ["what"])

COUNTS: Final = Counts("feeds:usage", period=DAY, written=WRITTEN_DAYS, kept_seconds=_KEPT_SECONDS)


@dataclass(frozen=True, slots=True)
class FeedUsageCount:
    """The counts of one counter for one feed ("" if the app did not send it) on one day.

    `readers` and `senders` are estimates of different viewers; the error of Redis's HyperLogLog is below 1 %.
    """

    feed: str
    day: date
    counter: str
    requests: int
    readers: int
    interactions: int
    senders: int


@dataclass(slots=True)
class _Tally:
    count: int = 0
    who: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Key:
    day: date
    what: Metric
    feed: str


class Recorder:
    """The counts of this process since the last flush. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[_Key, _Tally] = {}
        self._flushing = Every(FLUSH_SECONDS, self.flush, name="feeds.usage")

    def count(
        self, what: Metric, feed: str, viewer: Did | None, *, times: int = 1, now: datetime | None = None
    ) -> None:
        """Count `times` requests or interactions of `viewer` (None: not logged in) for the feed with this rkey."""
        key = _Key((now or datetime.now(UTC)).astimezone(UTC).date(), what, feed)
        hashed = None if viewer is None else pseudonym(viewer)
        with self._lock:
            tally = self._tallies.get(key)
            if tally is None:
                tally = self._tallies[key] = _Tally()
            tally.count += times
            if hashed is not None:
                tally.who.add(hashed)
        self._flushing.start()

    def flush(self) -> None:
        """Send the counts to Redis. If that fails they are lost: sending them again might count them twice."""
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        if not tallies:
            return
        try:
            quick.ask(lambda client: _add(client, tallies))
        except quick.RedisAway:
            for key, tally in tallies.items():
                LOST.labels(what=key.what).inc(tally.count)


#: The recorder of this process.
RECORDER: Final = Recorder()


def count_page_read(sender: object, *, feed: Rkey, viewer: Did | None, **_: object) -> None:
    """Receiver of the signal feeds.signals.page_read."""
    RECORDER.count("requests", feed, viewer)


def pseudonym(viewer: Did, *, secret_key: str = config.secret_key) -> bytes:
    """The keyed hash that identifies a viewer in counts and rows; it cannot be reversed, and changes with the key."""
    return pseudonym_of(viewer, purpose="feeds.usage", secret_key=secret_key)


def counted(*, now: datetime) -> list[FeedUsageCount]:
    """The counts of the last days in Redis. Raises RedisAway."""
    readings = COUNTS.readings(now=now)

    def ask(client: redis.Redis) -> list[int]:
        pipeline = client.pipeline(transaction=False)
        for reading in readings:
            for what in METRICS:
                pipeline.pfcount(_who(reading.start.date(), what, reading.subject))
        return pipeline.execute()

    people = iter(quick.ask(ask))
    return [
        FeedUsageCount(
            feed=reading.subject,
            day=reading.start.date(),
            counter=reading.counter,
            requests=reading.numbers.get("requests", 0),
            readers=next(people),
            interactions=reading.numbers.get("interactions", 0),
            senders=next(people),
        )
        for reading in readings
    ]


def different_readers(feeds: Collection[str], days: int, *, now: datetime) -> dict[str, int]:
    """Feed -> different viewers who read it in the last `days` days, including today, as far as Redis has them.

    Raises RedisAway.
    """
    today = now.astimezone(UTC).date()
    period = [today - timedelta(days=back) for back in range(min(days, KEPT_DAYS))]

    def ask(client: redis.Redis) -> list[int]:
        pipeline = client.pipeline(transaction=False)
        for feed in feeds:
            pipeline.pfcount(*(_who(day, "requests", feed) for day in period))
        return pipeline.execute()

    return dict(zip(feeds, quick.ask(ask), strict=True))


def _add(client: redis.Redis, tallies: Mapping[_Key, _Tally]) -> None:
    pipeline = client.pipeline(transaction=False)
    for day in {key.day for key in tallies}:
        of_day = ((key, tally.count) for key, tally in tallies.items() if key.day == day)
        counts: dict[tuple[str, str], int] = {(key.what, key.feed): count for key, count in of_day}
        COUNTS.add(pipeline, datetime.combine(day, time(), UTC), counts)
    for key, tally in tallies.items():
        if tally.who:
            name = _who(key.day, key.what, key.feed)
            pipeline.pfadd(name, *tally.who)
            pipeline.expire(name, _KEPT_SECONDS)
    pipeline.execute()


def _who(day: date, what: Metric, feed: str) -> str:
    return f"{kv.PREFIX}feeds:{what}:{day:%Y%m%d}:{feed}"
