"""Usage counts: counted in Redis by period, written to ClickHouse by a task.

Each period (an hour or a day, UTC) is one hash: the name of its counter, and numbers by subject (a key, a feed). A new
counter name shows that Redis lost its data. Within one counter, counts only grow, so a table that keeps the largest
(ReplacingMergeTree) may be written repeatedly; sum over the counters. An app adds its table, the names of its numbers,
and what it does while Redis is unavailable.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar, cast

from atsite.core import kv
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    import redis

R = TypeVar("R")

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
#: The field of a hash that names its counter.
COUNTER: Final = "counter"
# KEYS: the hash. ARGV: a name in case the hash is new, seconds to keep; then a command, a field and a number in turn.
WRITE: Final = """
if redis.call("hsetnx", KEYS[1], "counter", ARGV[1]) == 1 then redis.call("expire", KEYS[1], ARGV[2]) end
for index = 3, #ARGV, 3 do redis.call(ARGV[index], KEYS[1], ARGV[index + 1], ARGV[index + 2]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one counter for one subject in the period that begins at `start`, by name."""

    subject: str
    start: datetime
    counter: str
    numbers: Mapping[str, int]


class Counts:
    """The counts of one kind, in hashes named `prefix`. `period` is HOUR or DAY.

    The last `written` periods are read and written, so a worker may be down that long without losing counts. Redis
    keeps a hash for `kept_seconds` after its first count.
    """

    def __init__(self, prefix: str, *, period: timedelta, written: int, kept_seconds: int) -> None:
        self._prefix = prefix
        self._period = period
        self._written = written
        self._kept_seconds = kept_seconds
        self._format = "%Y%m%d%H" if period < DAY else "%Y%m%d"

    def add(
        self,
        client: redis.Redis,
        moment: datetime,
        counts: Mapping[tuple[str, str], int],
        latest: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        """Add `counts` to the period of `moment`, and replace the numbers of `latest`; both by (number, subject).

        `client` may be a pipeline.
        """
        commands = [("hincrby", key, value) for key, value in counts.items()]
        commands += [("hset", key, value) for key, value in (latest or {}).items()]
        arguments = (text for command, key, value in commands for text in (command, ":".join(key), str(value)))
        client.eval(WRITE, 1, self._hash(self.start_of(moment)), secrets.token_hex(4), self._kept_seconds, *arguments)

    def readings(self, *, now: datetime) -> list[Reading]:
        """The numbers in Redis of the last `written` periods, the newest first. Raises RedisAway."""
        newest = self.start_of(now)
        starts = [newest - self._period * back for back in range(self._written)]

        def ask(client: redis.Redis) -> list[dict[bytes, bytes]]:
            pipeline = client.pipeline(transaction=False)
            for start in starts:
                pipeline.hgetall(self._hash(start))
            return cast("list[dict[bytes, bytes]]", pipeline.execute())

        return [
            reading for start, content in zip(starts, quick.ask(ask), strict=True) for reading in _of(start, content)
        ]

    def start_of(self, moment: datetime) -> datetime:
        """The beginning of the period that contains `moment`."""
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour if self._period < DAY else hour.replace(hour=0)

    def _hash(self, start: datetime) -> str:
        return f"{kv.PREFIX}{self._prefix}:{start:{self._format}}"


def newest(rows: Iterable[R], *, place: Callable[[R], Hashable], size: Callable[[R], int]) -> list[R]:
    """For each place (one counter) the later row, which is the larger: counts only grow."""
    found: dict[Hashable, R] = {}
    for row in rows:
        held = found.get(place(row))
        if held is None or size(held) <= size(row):
            found[place(row)] = row
    return list(found.values())


def _of(start: datetime, content: Mapping[bytes, bytes]) -> Iterator[Reading]:
    """The readings in one hash, by subject."""
    fields = {name.decode(): value.decode() for name, value in content.items()}
    counter = fields.pop(COUNTER, "")
    by_subject: dict[str, dict[str, int]] = {}
    for field, value in fields.items():
        number, _, subject = field.partition(":")
        by_subject.setdefault(subject, {})[number] = int(value)
    return (Reading(subject, start, counter, numbers) for subject, numbers in sorted(by_subject.items()))
