"""How often keys are used: counted in Redis by hour, written to ClickHouse by a task.

Each hour is one hash: the name of its counter (which tells whether Redis was lost since), and for each key its count
and its last use. Flushing writes what the hash says, whole; writing it twice changes nothing. With Redis away a use is
not counted.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from apikeys import queries
from apikeys.queries import Use
from atsite.core import kv
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import redis

HOUR: Final = timedelta(hours=1)
#: So long a worker may be down without a count being lost.
KEPT_HOURS: Final = 48

#: KEYS: the hour's hash. ARGV: a name in case the hash is new, key id, now in ms, seconds to keep.
COUNT: Final = """
if redis.call("hsetnx", KEYS[1], "counter", ARGV[1]) == 1 then redis.call("expire", KEYS[1], ARGV[4]) end
redis.call("hincrby", KEYS[1], "n:" .. ARGV[2], 1)
redis.call("hset", KEYS[1], "t:" .. ARGV[2], ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Accepted calls of one key by hour (UTC), the oldest first, and the last of them."""

    hours: dict[datetime, int] = field(default_factory=dict)
    last_used_at: datetime | None = None

    @property
    def uses(self) -> int:
        return sum(self.hours.values())

    def by_day(self, now: datetime, days: int) -> list[tuple[date, int]]:
        """Each of the last `days` days, today included."""
        today = now.astimezone(UTC).date()
        period = [today - timedelta(days=back) for back in reversed(range(days))]
        sums = dict.fromkeys(period, 0)
        for hour, uses in self.hours.items():
            if hour.date() in sums:
                sums[hour.date()] += uses
        return list(sums.items())


def count(key_id: str, *, now: datetime) -> None:
    """One accepted call."""
    arguments = (secrets.token_hex(4), key_id, str(int(now.timestamp() * 1000)), str(KEPT_HOURS * 3600))
    try:
        quick.ask(lambda client: client.eval(COUNT, 1, _hash(now), *arguments))
    except quick.RedisAway:
        return


def flush(*, now: datetime) -> int:
    """Write the counts of the kept hours to ClickHouse; how many rows. Raises RedisAway, ClickHouseError."""
    uses = [use for hour in _hours(now) for use in _counted(hour)]
    queries.store_usage(uses)
    return len(uses)


def of_keys(key_ids: Sequence[str], *, days: int, now: datetime) -> dict[str, KeyUse]:
    """Key -> its use in the last `days` days, with what Redis counted a moment ago. Raises ClickHouseError."""
    written = queries.counted(key_ids, since=now - timedelta(days=days))
    try:
        fresh = [use for hour in _hours(now) for use in _counted(hour) if use.key_id in key_ids]
    except quick.RedisAway:
        fresh = []
    # A counter only grows, so of two readings of it the larger is the later one.
    newest: dict[tuple[str, datetime, str], Use] = {}
    for use in (*written, *fresh):
        place = (use.key_id, use.hour.astimezone(UTC), use.counter)
        if place not in newest or newest[place].uses <= use.uses:
            newest[place] = use
    return {key_id: _key_use([use for use in newest.values() if use.key_id == key_id]) for key_id in key_ids}


def _key_use(uses: Iterable[Use]) -> KeyUse:
    hours: Counter[datetime] = Counter()
    last: datetime | None = None
    for use in uses:
        hours[use.hour.astimezone(UTC)] += use.uses
        moment = use.last_used_at.astimezone(UTC)
        last = moment if last is None else max(last, moment)
    return KeyUse(dict(sorted(hours.items())), last)


def last_used(key_id: str, *, now: datetime) -> datetime | None:
    """When a call was accepted last, as far as is known. Raises ClickHouseError."""
    try:
        moments = quick.ask(lambda client: _last_uses(client, key_id, now))
    except quick.RedisAway:
        moments = []
    return max(moments) if moments else queries.last_use(key_id)


def _counted(hour: datetime) -> Iterable[Use]:
    content = quick.ask(lambda client: cast("dict[bytes, bytes]", client.hgetall(_hash(hour))))
    fields = {name.decode(): value.decode() for name, value in content.items()}
    for name, value in fields.items():
        if name.startswith("n:"):
            key_id = name.removeprefix("n:")
            yield Use(key_id, hour, fields["counter"], int(value), _moment(fields[f"t:{key_id}"]))


def _last_uses(client: redis.Redis, key_id: str, now: datetime) -> list[datetime]:
    pipeline = client.pipeline(transaction=False)
    for hour in _hours(now):
        pipeline.hget(_hash(hour), f"t:{key_id}")
    return [_moment(value.decode()) for value in pipeline.execute() if value is not None]


def _hours(now: datetime) -> list[datetime]:
    """The beginnings of the kept hours, the newest first."""
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [newest - HOUR * back for back in range(KEPT_HOURS)]


def _hash(moment: datetime) -> str:
    return f"{kv.PREFIX}apikeys:usage:{moment.astimezone(UTC):%Y%m%d%H}"


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
