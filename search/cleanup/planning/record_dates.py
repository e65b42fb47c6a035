"""The date of a record: what the cut-off of a clean-up is compared with. PURE.

createdAt is what a client claims. Imported posts have a true old createdAt and a new rkey, so the later of the two
counts: nobody loses what they wrote recently.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from atsite.core.atproto.tid import is_tid, micros_of_tid
from atsite.core.atproto.timestamps import micros_of_datetime
from atsite.core.errors import InvalidSyntax

_SECOND: Final = 1_000_000
DAY_US: Final = 86_400 * _SECOND
#: No record is older than the network, so an earlier createdAt is a mistake.
EARLIEST_US: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * _SECOND
#: A clock may be wrong by a time zone; a createdAt further ahead is a mistake.
AHEAD_MAX_US: Final = DAY_US


def date_of(rkey: str, value: object, now_us: int) -> int | None:
    """The later of createdAt and the time in the rkey, where that is a TID; in unix microseconds.

    None if createdAt is missing, not a datetime, before the year 2000, or more than a day after `now_us`.
    """
    created_at = value.get("createdAt") if isinstance(value, dict) else None
    if not isinstance(created_at, str):
        return None
    try:
        created_us = micros_of_datetime(created_at)
    except InvalidSyntax:
        return None
    if not EARLIEST_US <= created_us <= now_us + AHEAD_MAX_US:
        return None
    return max(created_us, micros_of_tid(rkey)) if is_tid(rkey) else created_us
