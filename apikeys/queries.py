"""What ClickHouse is told and asked about the use of keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from atsite.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apikeys.usage import Use


def store_usage(uses: Sequence[Use]) -> None:
    """Write counts; the same again changes nothing."""
    columns: dict[str, list[object]] = {
        "key_id": [use.key_id for use in uses],
        "hour": [use.hour for use in uses],
        "counter": [use.counter for use in uses],
        "uses": [use.uses for use in uses],
        "last_used_at": [use.last_used_at for use in uses],
    }
    door.insert("api_key_usage", columns, name="apikeys.store_usage")


# max() over no row is the epoch, hence the count.
LAST_USE = "SELECT count() > 0, max(last_used_at) FROM api_key_usage WHERE key_id = {key_id:String}"


@dataclass(frozen=True, slots=True)
class _LastUse:
    used: bool
    at: datetime


def last_use(key_id: str) -> datetime | None:
    """When a call with that key was accepted last, as far as was written."""
    (row,) = door.query(LAST_USE, {"key_id": key_id}, into=_LastUse, name="apikeys.last_use")
    return row.at.astimezone(UTC) if row.used else None


# FINAL: a count replaces the smaller ones of the same counter.
USES = """
SELECT hour, sum(uses) FROM api_key_usage FINAL
WHERE key_id = {key_id:String} AND hour >= {since:DateTime64(6)}
GROUP BY hour ORDER BY hour
"""


@dataclass(frozen=True, slots=True)
class HourlyUses:
    """Accepted calls of a key in the hour that begins at `hour`."""

    hour: datetime
    uses: int


def uses(key_id: str, *, since: datetime) -> list[HourlyUses]:
    """Hours with accepted calls, the oldest first."""
    return door.query(USES, {"key_id": key_id, "since": since}, into=HourlyUses, name="apikeys.uses")
