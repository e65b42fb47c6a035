"""The current signing keys of dids, to verify tokens while readers wait.

Keys come from this process's cache, then Redis and `default` (atsite.core.identity.known_keys, many readers at once),
then the network. Anyone who can reach the service can make it use the network, with tokens for any did. So there are
budgets for the network (atsite.core.identity.lookup_budget): those of dids with an earlier valid token (proven), and
those of all others. A key that is fetched again after an invalid signature always uses the budget of the others,
because anyone can name any did.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from atsite.core.batched import Batched
from atsite.core.identity import known_keys, proven_readers
from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.identity.lookup_budget import Budgets
from atsite.core.in_flight import InFlight
from atsite.core.kv.quick import RedisAway
from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.identity.known_keys import Known
    from atsite.core.identity.lookup_budget import Budget
    from atsite.core.identity.resolver import Resolver
    from atsite.core.kv.quick import Asking

#: How long a key is used without checking Redis, where another process may have stored a newer one.
MEMORY_SECONDS: Final = 60.0
#: The most readers of one process within that time; an entry has about 500 bytes.
MEMORY_SIZE: Final = 10_000
#: A key is fetched again at most this often per did: invalid signatures cost a caller nothing, look-ups cost us.
RENEWAL_SECONDS: Final = 60.0
#: A process records again after an hour that a did is proven.
PROVEN_AGAIN_SECONDS: Final = 3600.0
#: The most dids in one look-up in Redis and `default`.
KNOWN_AT_ONCE: Final = 200
#: Time limit for the host of a did:web. It holds a slot meanwhile, and its reader does not wait much longer.
HOST_SECONDS: Final = 1.0


def _nothing_stored(dids: Collection[Did]) -> Mapping[Did, PublicKey]:
    return {}


def _replace_nothing(did: Did, key: PublicKey | None) -> None:
    pass


class SigningKeys:
    """Keys by did. For one event loop. The resolver must not be shared, because the budgets are sized for it.

    `read_stored` and `replace_stored` are those of atsite.core.identity.stored_keys. They block, in threads.
    """

    def __init__(
        self,
        resolver: Resolver,
        cache: Asking | None,
        *,
        read_stored: Callable[[Collection[Did]], Mapping[Did, PublicKey]] = _nothing_stored,
        replace_stored: Callable[[Did, PublicKey | None], None] = _replace_nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._cache = cache
        self._read_stored = read_stored
        self._replace_stored = replace_stored
        self._clock = clock
        self._budgets = Budgets()
        self._keys: TtlCache[Did, PublicKey] = TtlCache(size=MEMORY_SIZE, seconds=MEMORY_SECONDS, clock=clock)
        self._proven: TtlCache[Did, bool] = TtlCache(size=10 * MEMORY_SIZE, seconds=PROVEN_AGAIN_SECONDS, clock=clock)
        # Value: whether the look-up was answered.
        self._renewals: TtlCache[Did, bool] = TtlCache(size=MEMORY_SIZE, seconds=RENEWAL_SECONDS, clock=clock)
        self._known: Batched[Did, Known] = Batched(self._look_up_known, size=KNOWN_AT_ONCE)
        self._looking: InFlight[Did, DidDocument] = InFlight()

    def at_hand(self, did: Did) -> PublicKey | None:
        """The key if this process has it; makes no request."""
        return self._keys.peek(did)

    async def key(self, did: Did) -> PublicKey | None:
        """The key of `did`, None if its document has none. Raises NoSuchIdentity, LookupFailed."""
        key = self.at_hand(did)
        if key is not None:
            return key
        known = await self._known.ask(did)
        key = self.at_hand(did)
        if key is not None:  # the answer to an earlier question came meanwhile
            return key
        if known.absent is not None:
            raise NoSuchIdentity(known.absent)
        if known.stored_key is not None:
            self._keys.put(did, known.stored_key)
            return known.stored_key
        if known.document is not None:
            return self._kept(known.document)
        proven = known.proven or bool(self._proven.peek(did))
        return self._kept(await self._asked(did, self._budgets.of(did, proven=proven)))

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
        return self._kept(await self._asked(did, self._budgets.of(did, proven=False), renewal=True))

    def prove(self, did: Did) -> None:
        """Record that a token of `did` was valid. Returns at once; Redis is written in the background."""
        if self._proven.peek(did):
            return
        self._proven.put(did, True)
        if self._cache is not None:
            asyncio.get_running_loop().run_in_executor(None, self._write_proven, self._cache, did)

    def _write_proven(self, cache: Asking, did: Did) -> None:
        try:
            cache.ask(lambda client: proven_readers.add(client, did))
        except RedisAway:
            return  # this process knows it for an hour

    async def _look_up_known(self, dids: Sequence[Did]) -> Mapping[Did, Known]:
        return await asyncio.to_thread(known_keys.look_up, dids, self._cache, self._read_stored)

    async def _asked(self, did: Did, budget: Budget, *, renewal: bool = False) -> DidDocument:
        """The current document from the network. Raises NoSuchIdentity, LookupFailed (also if the budget is spent)."""
        return await self._looking.ask(did, lambda: self._look_up(did, budget, renewal=renewal))

    async def _look_up(self, did: Did, budget: Budget, *, renewal: bool) -> DidDocument:
        async with budget.slot(self._clock()):
            if renewal:
                self._renewals.put(did, False)
            try:
                document = await self._resolver.document(did, fresh=True)
            except NoSuchIdentity:
                self._keys.drop(did)
                await self._answered(did, None, renewal)
                raise
        self._kept(document)
        await self._answered(did, document.signing_key, renewal)
        return document

    async def _answered(self, did: Did, key: PublicKey | None, renewal: bool) -> None:
        if renewal:
            self._renewals.put(did, True)
            await asyncio.to_thread(self._replace_stored, did, key)

    def _kept(self, document: DidDocument) -> PublicKey | None:
        if document.signing_key is None:
            self._keys.drop(document.did)
        else:
            self._keys.put(document.did, document.signing_key)
        return document.signing_key
