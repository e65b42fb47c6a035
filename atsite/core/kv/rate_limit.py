"""A rate limit for each caller, counted in Redis; while Redis is unavailable, in this process.

A window begins with the first call, so a caller who waits as told is always served. A count in a window, and no token
bucket (atsite.core.token_bucket): it is one step in Redis, for all processes together.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from atsite.core import kv
from atsite.core.kv import quick
from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE: Final = 60.0
HOUR: Final = 3600.0
#: The most callers that a process counts itself; beyond that it drops those whose window ends first.
CALLERS_MAX: Final = 10_000

#: KEYS: the counter. ARGV: the limit, the window in ms, how many to count. Returns 0, or the ms to wait. Refused calls
#: are not counted.
TAKE: Final = """
local held = tonumber(redis.call("get", KEYS[1]) or "0")
local allowed = held + ARGV[3] <= tonumber(ARGV[1])
if allowed then redis.call("incrby", KEYS[1], ARGV[3]) end
local rest = redis.call("pttl", KEYS[1])
if rest < 0 then
    redis.call("pexpire", KEYS[1], ARGV[2])
    rest = tonumber(ARGV[2])
end
if allowed then return 0 end
return rest
"""


@dataclass
class _Window:
    ends: float
    count: int = 0


class RateLimit:
    """Limits one kind of caller, in windows of `seconds`. Thread-safe."""

    def __init__(self, name: str, *, seconds: float = MINUTE, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: TtlCache[str, _Window] = TtlCache(size=CALLERS_MAX, seconds=seconds, clock=clock)

    def take(self, caller: str, limit: int, *, times: int = 1) -> float:
        """Count `times` calls if the window's `limit` allows it. Returns 0, else the seconds until the window ends."""
        key = f"{kv.PREFIX}rate:{self.name}:{caller}"
        arguments = (str(limit), str(int(self.seconds * 1000)), str(times))
        try:
            wait = quick.ask(lambda client: client.eval(TAKE, 1, key, *arguments))
        except quick.RedisAway:
            return self._take_here(caller, limit, times)
        return cast("int", wait) / 1000

    def _take_here(self, caller: str, limit: int, times: int) -> float:
        now = self._clock()
        with self._lock:
            window = self._windows.peek(caller, at=now)
            if window is None:
                window = _Window(now + self.seconds)
                self._windows.put(caller, window, at=now)
            if window.count + times > limit:
                return window.ends - now
            window.count += times
            return 0.0
