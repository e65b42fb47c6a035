"""A lease: one process of a kind per site, for as long as it lives and says so.

    with Lease("indexer", seconds=10).held() as lease:
        while not lease.lost: …

Held by renewing it from a thread. When Redis is away longer than the lease lasts, or someone else has it, the lease is
lost: the holder must stop before it writes again, as another may have started.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis
import structlog

from atsite.core import kv
from atsite.core.errors import AtsiteError
from atsite.core.kv.lock import RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

#: After a kill -9 the next start waits this long; a pause of Redis may last this long.
SECONDS = 10.0
#: How often a start looks whether the lease of a dead process ran out.
POLL_SECONDS = 0.1

#: Ours, or nobody's (Redis came back empty): have it for ARGV[2] ms. Someone else's: 0.
RENEW = """
local holder = redis.call("get", KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return 1
"""


class LeaseHeld(AtsiteError):
    """Another process has the lease and renews it."""


class Lease:
    """The lease `name`. Thread-safe; for one acquire and one release."""

    def __init__(self, name: str, seconds: float = SECONDS, client: redis.Redis | None = None) -> None:
        self.name = name
        self.seconds = seconds
        self.key = f"{kv.PREFIX}lease:{name}"
        self.client = client or kv.client()
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"
        self._until = 0.0
        self._taken = threading.Event()  # someone else has it
        self._stop = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether another may have it: it was seen taken, or was not renewed in time."""
        return self._taken.is_set() or time.monotonic() >= self._until

    def acquire(self, wait: float | None = None) -> None:
        """Take it, waiting up to `wait` seconds (by default a little longer than a dead holder's lease can last).

        Raises LeaseHeld, with the holder's host and process; redis.RedisError when Redis is away.
        """
        deadline = time.monotonic() + (self.seconds + 1 if wait is None else wait)
        while not self._renewed():
            if time.monotonic() >= deadline:
                holder = self.client.get(self.key)
                who = holder.decode().rpartition(":")[0] if isinstance(holder, bytes) else "another process"
                raise LeaseHeld(f"{who} already runs as {self.name} on this site: stop it first")
            time.sleep(POLL_SECONDS)

    def renew(self) -> bool:
        """Have it for the whole time again. False when it is someone else's, which is final.

        With Redis away it stays as it is and runs out by itself.
        """
        if self.lost:
            return False
        try:
            if not self._renewed():
                self._taken.set()
        except redis.RedisError as error:
            log.warning("lease.not_renewed", lease=self.name, error=type(error).__name__)
        return not self.lost

    def release(self) -> None:
        """Give it back if it is still ours. With Redis away it runs out by itself."""
        self._stop.set()
        self._until = 0.0
        try:
            self.client.eval(RELEASE, 1, self.key, self.holder)
        except redis.RedisError as error:
            log.warning("lease.not_released", lease=self.name, error=type(error).__name__)

    @contextmanager
    def held(self, wait: float | None = None) -> Iterator[Lease]:
        """Acquire, renew from a thread, release. Raises as `acquire` does; `lost` tells when it is over."""
        self.acquire(wait)
        thread = threading.Thread(target=self._keep, name=f"lease-{self.name}", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()  # first: a renewal under way would take back what is released
            self.release()

    def _keep(self) -> None:
        while not self._stop.wait(self.seconds / 4):
            if not self.renew() and not self._stop.is_set():
                log.error("lease.lost", lease=self.name)
                return

    def _renewed(self) -> bool:
        asked = time.monotonic()  # counted from before the question: the answer may have been long under way
        mine = bool(self.client.eval(RENEW, 1, self.key, self.holder, str(int(self.seconds * 1000))))
        if mine and not self._stop.is_set():
            self._until = asked + self.seconds
        return mine
