"""How often keys are used: counted in Redis by hour, written to ClickHouse by a task.

Each hour is one hash: the name of its counter (which tells whether Redis was lost since), and for each key its count
and its last use. Flushing writes what the hash says, whole; writing it twice changes nothing. With Redis away a use is
not counted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from apikeys import queries
from atsite import kv
from atsite.kv import quick

if TYPE_CHECKING:
    from collections.abc import Iterable

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
class Use:
    """What one counter says of one key in one hour."""

    key_id: str
    hour: datetime
    counter: str
    uses: int
    last_used_at: datetime


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
