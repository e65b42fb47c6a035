"""The keys with which dids sign now, for those who check a token while its reader waits.

This process's memory is asked first, then Redis (the resolver's memory), then the network. Whoever can reach the
service can make it ask the network, with tokens that name any did. So the network is asked within two overall parts:
one for dids that have proven themselves before, one for all others. A key that is asked for anew because a signature
was bad comes out of the others' part whoever is named, as anybody can name anybody.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.identity.recent import Recent
from atsite.core.kv import PREFIX
from atsite.core.kv.quick import RedisAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.identity.resolver import Resolver
    from atsite.core.kv.quick import Asking

#: How long a key is believed without asking Redis, where another process may have put a newer one.
MEMORY_SECONDS: Final = 60.0
#: Readers of one process within that time; an entry has about 500 bytes.
MEMORY_SIZE: Final = 10_000
#: A key is asked for anew at most this often for each did: bad signatures cost nothing, questions do.
RENEWAL_SECONDS: Final = 60.0
#: Who has proven itself is known for so long, in Redis; a process says so again after an hour.
PROVEN_SECONDS: Final = 30 * 24 * 3600
PROVEN_AGAIN_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Budget:
    """How much the network is asked: `concurrent` questions at once, `burst` of them and then `rate` a second."""

    concurrent: int
    rate: float
    burst: float
    _running: int = 0
    _spent: float = 0.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be asked; it must be given back when it has ended. Never waits: a queue would grow."""
        self._spent = max(0.0, self._spent - (now - self._at) * self.rate)
        self._at = now
        if self._running >= self.concurrent or self._spent > self.burst - 1:
            return False
        self._running += 1
        self._spent += 1
        return True

    def give_back(self) -> None:
        """A question has ended."""
        self._running -= 1


def proven_budget() -> Budget:
    """The part of dids whose tokens were good before. With the other part it stays within the resolver's limits."""
    return Budget(concurrent=5, rate=12.0, burst=24.0)


def strangers_budget() -> Budget:
    """The part of all others."""
    return Budget(concurrent=3, rate=6.0, burst=12.0)


class SigningKeys:
    """Keys by did. For one event loop; the resolver must be nobody else's, as the two parts are measured for it."""

    def __init__(
        self, resolver: Resolver, cache: Asking | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolver = resolver
        self._cache = cache
        self._clock = clock
        self._for_proven = proven_budget()
        self._for_strangers = strangers_budget()
        self._keys: Recent[Did, PublicKey] = Recent(size=MEMORY_SIZE, seconds=MEMORY_SECONDS)
        self._proven: Recent[Did, bool] = Recent(size=10 * MEMORY_SIZE, seconds=PROVEN_AGAIN_SECONDS)
        # Whether the question was answered.
        self._renewals: Recent[Did, bool] = Recent(size=MEMORY_SIZE, seconds=RENEWAL_SECONDS)
        self._looking: dict[Did, asyncio.Task[DidDocument]] = {}

    def at_hand(self, did: Did) -> PublicKey | None:
        """The key, where this process has it; asks nobody."""
        return self._keys.get(did, self._clock())

    async def key(self, did: Did) -> PublicKey | None:
        """The key of `did`, None where its document has none. Raises NoSuchIdentity, LookupFailed."""
        key = self.at_hand(did)
        if key is not None:
            return key
        document = await self._resolver.remembered(did)
        if document is None:
            budget = self._for_proven if await self._is_proven(did) else self._for_strangers
            key = self.at_hand(did)
            if key is not None:  # the answer to an earlier question came meanwhile
                return key
            document = await self._asked(did, budget)
        return self._kept(document)

    async def renewed(self, did: Did) -> PublicKey | None:
        """The key as the network has it now, after `key` did not fit.

        None where the network was asked a moment ago (there is no newer key), or where its document has none.
        Raises NoSuchIdentity, LookupFailed.
        """
        if did not in self._looking:
            answered = self._renewals.get(did, self._clock())
            if answered is not None:
                if answered:
                    return None
                raise LookupFailed("the network gave no answer a moment ago")
        return self._kept(await self._asked(did, self._for_strangers, renewal=True))

    def prove(self, did: Did) -> None:
        """Remember that a token of `did` was good. Returns at once; Redis learns of it in the background."""
        now = self._clock()
        if self._proven.get(did, now):
            return
        self._proven.put(did, True, now)
        if self._cache is not None:
            asyncio.get_running_loop().run_in_executor(None, self._write_proven, self._cache, did)

    def _write_proven(self, cache: Asking, did: Did) -> None:
        try:
            cache.ask(lambda client: client.set(_proven_key(did), b"", ex=PROVEN_SECONDS))
        except RedisAway:
            return  # this process knows it for an hour

    async def _is_proven(self, did: Did) -> bool:
        if self._proven.get(did, self._clock()):
            return True
        cache = self._cache
        if cache is None:
            return False
        try:
            return bool(await asyncio.to_thread(cache.ask, lambda client: client.exists(_proven_key(did))))
        except RedisAway:
            return False

    async def _asked(self, did: Did, budget: Budget, *, renewal: bool = False) -> DidDocument:
        """The document as the network has it. Raises NoSuchIdentity, LookupFailed (the budget is spent, too)."""
        task = self._looking.get(did)
        if task is None:
            if not budget.take(self._clock()):
                raise LookupFailed("too much is asked of the network at once")
            if renewal:
                self._renewals.put(did, False, self._clock())
            task = asyncio.create_task(self._look_up(did, budget, renewal=renewal))
            self._looking[did] = task
            task.add_done_callback(lambda done: self._ended(did, budget, done))
        # Whoever gives up does not end it: the answer comes too late for this reader, and in time for the next.
        return await asyncio.shield(task)

    async def _look_up(self, did: Did, budget: Budget, *, renewal: bool) -> DidDocument:
        try:
            document = await self._resolver.document(did, fresh=True)
        except NoSuchIdentity:
            self._keys.drop(did)
            self._answered(did, renewal)
            raise
        self._kept(document)
        self._answered(did, renewal)
        return document

    def _answered(self, did: Did, renewal: bool) -> None:
        if renewal:
            self._renewals.put(did, True, self._clock())

    def _ended(self, did: Did, budget: Budget, task: asyncio.Task[DidDocument]) -> None:
        budget.give_back()
        del self._looking[did]
        if not task.cancelled():
            task.exception()  # whoever waited has it; unread it would be logged, with the did

    def _kept(self, document: DidDocument) -> PublicKey | None:
        if document.signing_key is None:
            self._keys.drop(document.did)
        else:
            self._keys.put(document.did, document.signing_key, self._clock())
        return document.signing_key


def _proven_key(did: Did) -> str:
    return f"{PREFIX}reader:{did}"
