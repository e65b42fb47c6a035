"""Limits on look-ups in the network, because callers can name any did."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import is_plc_did
from atsite.core.config import config
from atsite.core.identity.documents import LookupFailed
from atsite.core.token_bucket import TokenBucket
from atsite.core.worker_share import share_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from atsite.core.atproto.syntax import Did

#: How long a look-up waits for a slot. A reader gives up after 5 s, and the look-up and the page take time as well.
SLOT_SECONDS: Final = 2.0


class Budget:
    """At most `concurrent` look-ups at once, and one token of the bucket for each; a look-up waits for both.

    The queue is bounded: only as many wait as tokens come in that time. For one event loop.
    """

    def __init__(self, *, concurrent: int, bucket: TokenBucket) -> None:
        self.concurrent = concurrent
        self.bucket = bucket
        self._slots = asyncio.Semaphore(concurrent)

    @asynccontextmanager
    async def slot(self, now: float, *, seconds: float = SLOT_SECONDS) -> AsyncIterator[None]:
        """Hold a slot for one look-up. Raises LookupFailed if none is free within `seconds` from `now`."""
        wait = self.bucket.take_within(now, seconds)
        if wait is None:
            raise LookupFailed("too many look-ups at once")
        await asyncio.sleep(wait)
        try:
            async with asyncio.timeout(seconds - wait):
                await self._slots.acquire()
        except TimeoutError as error:
            raise LookupFailed("too many look-ups at once") from error
        try:
            yield
        finally:
            self._slots.release()


def _budget(concurrent: int, rate: float, burst: int) -> Budget:
    """The share that this worker has of a budget of the site."""
    bucket = TokenBucket(rate=rate / config.workers, burst=share_of(burst))
    return Budget(concurrent=share_of(concurrent), bucket=bucket)


@dataclass(frozen=True, slots=True)
class Budgets:
    """Separate budgets for proven and for unknown dids, and for did:plc and did:web.

    did:plc has one directory, which answers. Anyone can run a host of a did:web, and make it hold a slot until the
    time limit.
    """

    proven_plc: Budget = field(default_factory=lambda: _budget(8, 10.0, 40))
    unknown_plc: Budget = field(default_factory=lambda: _budget(12, 10.0, 40))
    proven_web: Budget = field(default_factory=lambda: _budget(4, 4.0, 16))
    unknown_web: Budget = field(default_factory=lambda: _budget(4, 4.0, 16))
    clock: Callable[[], float] = time.monotonic

    def of(self, did: Did, *, proven: bool) -> Budget:
        """The budget that a look-up of `did` uses."""
        if is_plc_did(did):
            return self.proven_plc if proven else self.unknown_plc
        return self.proven_web if proven else self.unknown_web
