"""Sets how long raw events are kept: the table's TTL follows KEEP_RAW_DAYS.

The TTL counts from `stored_at`, an event's arrival here. If it counted from the event's own day, recorded or
back-filled data would be deleted at its insert.
"""

from __future__ import annotations

import re

from atsite.core.clickhouse import door

CURRENT_TTL = """
SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'repo_records'
"""
# Nothing is rewritten: whole days are dropped when their last row is due (ttl_only_drop_parts).
SET_TTL = "ALTER TABLE repo_records MODIFY TTL stored_at + toIntervalDay({days:UInt16})"


def kept_days() -> int:
    """The days that the table now keeps raw events."""
    # A parameter is written in the table's definition as _CAST(7, 'UInt16').
    definition = door.scalar(CURRENT_TTL, name="indexer.kept_days")
    found = re.search(r"TTL stored_at \+ toIntervalDay\((?:_CAST\()?(\d+)", definition)
    return int(found.group(1)) if found else 0


def keep(days: int) -> bool:
    """Set it to `days`; returns whether that was a change."""
    if kept_days() == days:
        return False
    door.execute(SET_TTL, {"days": days}, name="indexer.keep_raw", limits=door.TASK)
    return True
