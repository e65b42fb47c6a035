"""What ClickHouse is told and asked about the use of keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Sequence


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
COUNTED = """
SELECT key_id, hour, counter, uses, last_used_at FROM api_key_usage FINAL
WHERE key_id IN {key_ids:Array(String)} AND hour >= {since:DateTime}
ORDER BY key_id, hour, counter
"""


@dataclass(frozen=True, slots=True)
class Use:
    """What one counter says of one key in the hour that begins at `hour`."""

    key_id: str
    hour: datetime
    counter: str
    uses: int
    last_used_at: datetime


def counted(key_ids: Sequence[str], *, since: datetime) -> list[Use]:
    """What was written of these keys from `since` on. Raises ClickHouseError."""
    if not key_ids:
        return []
    params = {"key_ids": list(key_ids), "since": since.astimezone(UTC).replace(microsecond=0)}
    return door.query(COUNTED, params, into=Use, name="apikeys.counted")
