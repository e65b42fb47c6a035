"""Reading `since` and `until`: a datetime, or a day for its first moment (UTC). PURE."""

from __future__ import annotations

import re
from typing import Final

from atsite.core.atproto.timestamps import micros_of_datetime

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def micros_of(text: str) -> int:
    """Unix microseconds of `2026-05-25` or `2026-05-25T14:23:28.778Z`; raises InvalidSyntax."""
    return micros_of_datetime(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
