"""Short texts of durations, counts and sizes, for tiles. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def span(length: timedelta) -> str:
    """About how long: "3 s", "12 min", "5 h", "9 days". A negative duration counts as 0."""
    seconds = max(length.total_seconds(), 0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 120 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def count(number: float) -> str:
    """With separators: "1,234,567"."""
    return f"{number:,.0f}"


def size(number: int) -> str:
    """Bytes, decimal as disks are sold."""
    for unit, name in _SIZES:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number} B"
