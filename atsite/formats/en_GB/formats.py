"""Times as on every page of the project: year first, 24 hours, UTC (settings.TIME_ZONE) said."""

from __future__ import annotations

from typing import Final

DATE_FORMAT: Final = "Y-m-d"
SHORT_DATE_FORMAT: Final = "Y-m-d"
TIME_FORMAT: Final = "H:i"
DATETIME_FORMAT: Final = "Y-m-d H:i e"
SHORT_DATETIME_FORMAT: Final = "Y-m-d H:i e"
