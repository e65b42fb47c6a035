"""Reads `lookback_window` of /stats/period."""

from __future__ import annotations

import re
from typing import Final

from indexer.index.stats.periods import HOURS_MAX

#: Sets of up to 4,096 actors are exact; larger ones are estimates, which may fall a little below (decision 103).
EXACT_MAX: Final = 2_000
#: Twice what is known of these sets, 0.5 % (decision 103).
ERROR: Final = 0.01
_FORM: Final = re.compile(r"([1-9][0-9]{0,3})([hd])", re.ASCII)
ALLOWED: Final = "lookback_window is a number of hours or days, such as 36h or 7d, from 1h to 90d"


def hours_of(window: str) -> int:
    """The hours of a window such as 36h or 7d. Raises ValueError, with what is allowed."""
    found = _FORM.fullmatch(window)
    hours = int(found[1]) * {"h": 1, "d": 24}[found[2]] if found else 0
    if not 1 <= hours <= HOURS_MAX:
        raise ValueError(ALLOWED)
    return hours
