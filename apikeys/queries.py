"""ClickHouse queries about the usage of keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class KeyUsageCount:
    """The count of one counter for one key in the hour that begins at `hour`."""

    key_id: str
    hour: datetime
    counter: str
    uses: int
    last_used_at: datetime


def store_usage(uses: Sequence[KeyUsageCount]) -> int:
    """Write counts and return the number of rows; writing the same again changes nothing. Raises ClickHouseError."""
    return door.insert("api_key_usage", door.columns_of(KeyUsageCount, uses), name="apikeys.store_usage")


# FINAL: a count replaces the smaller ones of the same counter.
COUNTED = """
SELECT key_id, hour, counter, uses, last_used_at FROM api_key_usage FINAL
WHERE key_id IN {key_ids:Array(String)} AND hour >= {since:DateTime}
ORDER BY key_id, hour, counter
"""


def counted(key_ids: Sequence[str], *, since: datetime) -> list[KeyUsageCount]:
    """The written counts of these keys from `since` on. Raises ClickHouseError."""
    if not key_ids:
        return []
    params = {"key_ids": list(key_ids), "since": since.astimezone(UTC).replace(microsecond=0)}
    return door.query(COUNTED, params, into=KeyUsageCount, name="apikeys.counted")
