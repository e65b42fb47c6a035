"""A lease: one process of a kind per site, for as long as the process renews it.

    with Lease("indexer", seconds=10).held() as lease:
        while not lease.lost: …

A thread renews it. If Redis is unavailable for longer than the lease lasts, or another process has it, the lease is
lost: the holder must stop before it writes again, because another process may have started.
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

#: After a kill -9 the next start waits this long; Redis may be unavailable this long.
SECONDS = 10.0
#: How often a start checks whether the lease of a dead process has expired.
POLL_SECONDS = 0.1

#: If it is ours or free (Redis may have lost its data): take it for ARGV[2] ms. If another process has it: 0.
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
        """Whether another process may have it: it was taken, or not renewed in time."""
        return self._taken.is_set() or time.monotonic() >= self._until

    def acquire(self, wait: float | None = None) -> None:
        """Take it, waiting up to `wait` seconds (by default a little longer than a dead holder's lease lasts).

        Raises LeaseHeld, with the holder's host and process; redis.RedisError if Redis is unavailable.
        """
        deadline = time.monotonic() + (self.seconds + 1 if wait is None else wait)
        while not self._renewed():
            if time.monotonic() >= deadline:
                holder = self.client.get(self.key)
                who = holder.decode().rpartition(":")[0] if isinstance(holder, bytes) else "another process"
                raise LeaseHeld(f"{who} already runs as {self.name} on this site: stop it first")
            time.sleep(POLL_SECONDS)

    def renew(self) -> bool:
        """Renew it for its full time. False if another process has it, which is final.

        While Redis is unavailable it is not renewed and expires.
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
        """Release it if it is still ours. If Redis is unavailable, it expires."""
        self._stop.set()
        self._until = 0.0
        try:
            self.client.eval(RELEASE, 1, self.key, self.holder)
        except redis.RedisError as error:
            log.warning("lease.not_released", lease=self.name, error=type(error).__name__)

    @contextmanager
    def held(self, wait: float | None = None) -> Iterator[Lease]:
        """Acquire, renew from a thread, release. Raises as `acquire` does; check `lost` while you hold it."""
        self.acquire(wait)
        thread = threading.Thread(target=self._keep, name=f"lease-{self.name}", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()  # first: a renewal in progress would take the released lease back
            self.release()

    def _keep(self) -> None:
        while not self._stop.wait(self.seconds / 4):
            if not self.renew() and not self._stop.is_set():
                log.error("lease.lost", lease=self.name)
                return

    def _renewed(self) -> bool:
        asked = time.monotonic()  # counted from before the call: the answer may take long
        mine = bool(self.client.eval(RENEW, 1, self.key, self.holder, str(int(self.seconds * 1000))))
        if mine and not self._stop.is_set():
            self._until = asked + self.seconds
        return mine
