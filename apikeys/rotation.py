"""Rotation of API keys: a new secret, while the old one keeps working for a chosen time. Pure.

`ApiKey.rotate` stores both; `apikeys.check` accepts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta

HOUR: Final = 3600
#: How long the old secret may keep working after a rotation, in seconds.
OVERLAPS: Final = {
    0: "no time: it stops working now",
    HOUR: "one hour",
    24 * HOUR: "one day",
    7 * 24 * HOUR: "seven days",
    30 * 24 * HOUR: "thirty days",
}
OVERLAP_DEFAULT: Final = 24 * HOUR


def overlap_in_words(overlap: timedelta) -> str:
    """The chosen overlap, in words."""
    return OVERLAPS[int(overlap.total_seconds())].partition(":")[0]


def old_secret_works(until: datetime | None, now: datetime) -> bool:
    """Whether the secret from before the last rotation is still accepted."""
    return until is not None and now < until
