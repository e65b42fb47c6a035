"""A rate limit per minute for each caller, counted in Redis; while Redis is unavailable, in this process.

The minute begins with the first call, so a caller who waits as told is always served. A count in a window, and no token
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

WINDOW_MS: Final = 60_000
#: The most callers that a process counts itself; beyond that it drops those whose minute ends first.
CALLERS_MAX: Final = 10_000

#: KEYS: the counter. ARGV: calls allowed, the window in ms. Returns 0, or ms to wait.
TAKE: Final = """
local count = redis.call("incr", KEYS[1])
if count == 1 then redis.call("pexpire", KEYS[1], ARGV[2]) end
if count <= tonumber(ARGV[1]) then return 0 end
local rest = redis.call("pttl", KEYS[1])
if rest > 0 then return rest end
redis.call("pexpire", KEYS[1], ARGV[2])
return tonumber(ARGV[2])
"""


@dataclass
class _Window:
    ends: float
    count: int = 0


class RateLimit:
    """Counts of one kind of caller. Thread-safe."""

    def __init__(self, name: str, *, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: TtlCache[str, _Window] = TtlCache(size=CALLERS_MAX, seconds=WINDOW_MS / 1000, clock=clock)

    def take(self, caller: str, per_minute: int) -> float:
        """Count a call. Returns 0 if it is allowed, else the seconds until the next one is."""
        key = f"{kv.PREFIX}rate:{self.name}:{caller}"
        try:
            wait = quick.ask(lambda client: client.eval(TAKE, 1, key, str(per_minute), str(WINDOW_MS)))
        except quick.RedisAway:
            return self._take_here(caller, per_minute)
        return cast("int", wait) / 1000

    def _take_here(self, caller: str, per_minute: int) -> float:
        now = self._clock()
        with self._lock:
            window = self._windows.peek(caller, at=now)
            if window is None:
                window = _Window(now + WINDOW_MS / 1000)
                self._windows.put(caller, window, at=now)
            window.count += 1
            return 0.0 if window.count <= per_minute else window.ends - now
