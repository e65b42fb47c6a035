"""A site over the AT Protocol: its settings, its services, and what the apps share."""

from __future__ import annotations

import os
from typing import Final

# Unless this is set (to anything), clickhouse_driver makes two tables of 146,000 dates when it is imported, which takes
# each process 0.12 s and 23 MB. The spelling is the driver's.
os.environ.setdefault("CLICKHOUSE_DRIVER_LASY_DATE_LUT", "1")

__version__: Final = "0.1.0"
