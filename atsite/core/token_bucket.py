"""A token bucket for one process: `burst` at once, then `rate` a second. For a whole site: `kv.rate_limit`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """Starts full. Not thread-safe; `now` is the caller's clock, in seconds."""

    rate: float
    burst: float
    _tokens: float = 0.0
    _at: float | None = None

    def take(self, now: float) -> float:
        """Take a token in any case. Returns the seconds until it is available, 0 if there is one."""
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self.rate)

    def take_within(self, now: float, seconds: float) -> float | None:
        """Take a token that is there within `seconds` and return the wait; None, and no token, if it comes later.

        So only as many callers wait as tokens come in that time.
        """
        self._fill(now)
        wait = max(0.0, (1 - self._tokens) / self.rate)
        if wait > seconds:
            return None
        self._tokens -= 1
        return wait

    def _fill(self, now: float) -> None:
        gained = self.burst if self._at is None else (now - self._at) * self.rate
        self._tokens = min(self.burst, self._tokens + gained)
        self._at = now
