"""How much the network is asked on behalf of callers who name any did they like."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import is_plc_did
from atsite.core.identity.documents import LookupFailed
from atsite.core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from atsite.core.atproto.syntax import Did

#: How long a question waits for a slot. Its reader is gone after 5 s, and the look-up and the page take their time.
SLOT_SECONDS: Final = 2.0


class Budget:
    """`concurrent` questions at once, and as many as the bucket has tokens; a question waits for both.

    Only as many wait as tokens come in the time that they wait, so the queue is bounded. For one event loop.
    """

    def __init__(self, *, concurrent: int, bucket: TokenBucket) -> None:
        self.concurrent = concurrent
        self.bucket = bucket
        self._slots = asyncio.Semaphore(concurrent)

    @asynccontextmanager
    async def slot(self, now: float, *, seconds: float = SLOT_SECONDS) -> AsyncIterator[None]:
        """Inside, one more may be asked. Raises LookupFailed where that is not so within `seconds` from `now`."""
        wait = self.bucket.take_within(now, seconds)
        if wait is None:
            raise LookupFailed("too much is asked of the network at once")
        await asyncio.sleep(wait)
        try:
            async with asyncio.timeout(seconds - wait):
                await self._slots.acquire()
        except TimeoutError as error:
            raise LookupFailed("too much is asked of the network at once") from error
        try:
            yield
        finally:
            self._slots.release()


def _budget(concurrent: int, rate: float, burst: float) -> Budget:
    return Budget(concurrent=concurrent, bucket=TokenBucket(rate=rate, burst=burst))


@dataclass(frozen=True, slots=True)
class Budgets:
    """One budget each for dids that have proven themselves and for unknown ones, did:plc and did:web apart.

    The directory of did:plc is one host that answers. The hosts of did:web are anyone's, and may keep a slot for as
    long as they are waited for.
    """

    proven_plc: Budget = field(default_factory=lambda: _budget(8, 10.0, 40.0))
    unknown_plc: Budget = field(default_factory=lambda: _budget(12, 10.0, 40.0))
    proven_web: Budget = field(default_factory=lambda: _budget(4, 4.0, 16.0))
    unknown_web: Budget = field(default_factory=lambda: _budget(4, 4.0, 16.0))
    clock: Callable[[], float] = time.monotonic

    def of(self, did: Did, *, proven: bool) -> Budget:
        """The budget out of which the network is asked for `did`."""
        if is_plc_did(did):
            return self.proven_plc if proven else self.unknown_plc
        return self.proven_web if proven else self.unknown_web
