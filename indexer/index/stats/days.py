"""Days as ranges of keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from atsite.core.atproto.tid import tid_of_micros


def first_tid(day: date) -> str:
    """The smallest TID of a day (UTC)."""
    return tid_of_micros(int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000)
