"""The current signing keys of dids, to verify tokens while readers wait.

Keys come from this process's cache, then Redis (the resolver's cache), then the network. Anyone who can reach the
service can make it use the network, with tokens for any did. So there are two budgets for the network: one for dids
with an earlier valid token (proven), one for all others. A key that is fetched again after an invalid signature always
uses the budget of the others, because anyone can name any did.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.in_flight import InFlight
from atsite.core.kv import PREFIX
from atsite.core.kv.quick import RedisAway
from atsite.core.token_bucket import TokenBucket
from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.identity.did_cache import Resolver
    from atsite.core.kv.quick import Asking

#: How long a key is used without checking Redis, where another process may have stored a newer one.
MEMORY_SECONDS: Final = 60.0
#: The most readers of one process within that time; an entry has about 500 bytes.
MEMORY_SIZE: Final = 10_000
#: A key is fetched again at most this often per did: invalid signatures cost a caller nothing, look-ups cost us.
RENEWAL_SECONDS: Final = 60.0
#: How long Redis keeps that a did is proven; a process writes it again after an hour.
PROVEN_SECONDS: Final = 30 * 24 * 3600
PROVEN_AGAIN_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Budget:
    """A budget of look-ups: `concurrent` at once, and as many as the bucket has tokens."""

    concurrent: int
    bucket: TokenBucket
    _running: int = 0

    def take(self, now: float) -> bool:
        """Whether one more look-up may start; give it back when it has ended. Never waits, as a queue would grow."""
        if self._running >= self.concurrent or not self.bucket.take_at_once(now):
            return False
        self._running += 1
        return True

    def give_back(self) -> None:
        """A look-up has ended."""
        self._running -= 1


def proven_budget() -> Budget:
    """The budget of proven dids. Both budgets together stay within the resolver's limits."""
    return Budget(concurrent=5, bucket=TokenBucket(rate=12.0, burst=24.0))


def strangers_budget() -> Budget:
    """The budget of all other dids."""
    return Budget(concurrent=3, bucket=TokenBucket(rate=6.0, burst=12.0))


class SigningKeys:
    """Keys by did. For one event loop. The resolver must not be shared, because the budgets are sized for it."""

    def __init__(
        self, resolver: Resolver, cache: Asking | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolver = resolver
        self._cache = cache
        self._clock = clock
        self._for_proven = proven_budget()
        self._for_strangers = strangers_budget()
        self._keys: TtlCache[Did, PublicKey] = TtlCache(size=MEMORY_SIZE, seconds=MEMORY_SECONDS, clock=clock)
        self._proven: TtlCache[Did, bool] = TtlCache(size=10 * MEMORY_SIZE, seconds=PROVEN_AGAIN_SECONDS, clock=clock)
        # Value: whether the look-up was answered.
        self._renewals: TtlCache[Did, bool] = TtlCache(size=MEMORY_SIZE, seconds=RENEWAL_SECONDS, clock=clock)
        self._looking: InFlight[Did, DidDocument] = InFlight()

    def at_hand(self, did: Did) -> PublicKey | None:
        """The key if this process has it; makes no request."""
        return self._keys.peek(did)

    async def key(self, did: Did) -> PublicKey | None:
        """The key of `did`, None if its document has none. Raises NoSuchIdentity, LookupFailed."""
        key = self.at_hand(did)
        if key is not None:
            return key
        document = await self._resolver.remembered(did)
        if document is None:
            budget = self._for_proven if await self._is_proven(did) else self._for_strangers
            key = self.at_hand(did)
            if key is not None:  # the answer of an earlier look-up came meanwhile
                return key
            document = await self._asked(did, budget)
        return self._kept(document)

    async def renewed(self, did: Did) -> PublicKey | None:
        """The current key from the network, after the key of `key` did not match.

        None if it was fetched a moment ago (there is no newer key), or if the document has none.
        Raises NoSuchIdentity, LookupFailed.
        """
        if did not in self._looking:
            answered = self._renewals.peek(did)
            if answered is not None:
                if answered:
                    return None
                raise LookupFailed("the network did not answer a moment ago")
        return self._kept(await self._asked(did, self._for_strangers, renewal=True))

    def prove(self, did: Did) -> None:
        """Record that a token of `did` was valid. Returns at once; Redis is written in the background."""
        if self._proven.peek(did):
            return
        self._proven.put(did, True)
        if self._cache is not None:
            asyncio.get_running_loop().run_in_executor(None, self._write_proven, self._cache, did)

    def _write_proven(self, cache: Asking, did: Did) -> None:
        try:
            cache.ask(lambda client: client.set(_proven_key(did), b"", ex=PROVEN_SECONDS))
        except RedisAway:
            return  # this process knows it for an hour

    async def _is_proven(self, did: Did) -> bool:
        if self._proven.peek(did):
            return True
        cache = self._cache
        if cache is None:
            return False
        try:
            return bool(await asyncio.to_thread(cache.ask, lambda client: client.exists(_proven_key(did))))
        except RedisAway:
            return False

    async def _asked(self, did: Did, budget: Budget, *, renewal: bool = False) -> DidDocument:
        """The current document from the network. Raises NoSuchIdentity, LookupFailed (also if the budget is spent)."""

        def begin() -> Coroutine[object, object, DidDocument]:
            if not budget.take(self._clock()):
                raise LookupFailed("too many look-ups at once")
            if renewal:
                self._renewals.put(did, False)
            return self._look_up(did, budget, renewal=renewal)

        return await self._looking.ask(did, begin)

    async def _look_up(self, did: Did, budget: Budget, *, renewal: bool) -> DidDocument:
        try:
            document = await self._resolver.document(did, fresh=True)
        except NoSuchIdentity:
            self._keys.drop(did)
            self._answered(did, renewal)
            raise
        finally:
            budget.give_back()
        self._kept(document)
        self._answered(did, renewal)
        return document

    def _answered(self, did: Did, renewal: bool) -> None:
        if renewal:
            self._renewals.put(did, True)

    def _kept(self, document: DidDocument) -> PublicKey | None:
        if document.signing_key is None:
            self._keys.drop(document.did)
        else:
            self._keys.put(document.did, document.signing_key)
        return document.signing_key


def _proven_key(did: Did) -> str:
    return f"{PREFIX}reader:{did}"
