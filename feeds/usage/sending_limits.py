"""Limits on interactions per hour: from one reader, and from all readers."""

from __future__ import annotations

import math
from typing import Final

from atsite.core.config import config
from atsite.core.kv.rate_limit import HOUR, RateLimit
from atsite.core.web.xrpc import XrpcError

_readers: Final = RateLimit("interactions", seconds=HOUR)
_all: Final = RateLimit("interactions-total", seconds=HOUR)


def take(sender: str, count: int) -> None:
    """Count interactions of the reader with this pseudonym. Raises XrpcError RateLimitExceeded.

    The reader's own limit is checked first, so that a reader beyond it does not use up the total.
    """
    _check(_readers.take(sender, config.interactions_per_hour, times=count), "from one reader")
    _check(_all.take("all", config.interactions_total_per_hour, times=count), "from all readers")


def _check(wait: float, whose: str) -> None:
    if wait:
        message = f"too many interactions {whose} in this hour"
        raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": str(math.ceil(wait))})
