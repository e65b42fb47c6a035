"""How many interactions are taken in an hour: from one reader, and from all together."""

from __future__ import annotations

import math
from typing import Final

from atsite.core.config import config
from atsite.core.kv.rate_limit import HOUR, RateLimit
from atsite.core.web.xrpc import XrpcError

_readers: Final = RateLimit("interactions", seconds=HOUR)
_all: Final = RateLimit("interactions-total", seconds=HOUR)


def take(sender: str, count: int) -> None:
    """Count so many interactions of the reader with this pseudonym. Raises XrpcError RateLimitExceeded.

    The reader's own limit comes first, so that one who is beyond it takes nothing from the others.
    """
    _check(_readers.take(sender, config.interactions_per_hour, times=count), "from one reader")
    _check(_all.take("all", config.interactions_total_per_hour, times=count), "from all readers")


def _check(wait: float, whose: str) -> None:
    if wait:
        message = f"no more interactions are taken {whose} in this hour"
        raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": str(math.ceil(wait))})
