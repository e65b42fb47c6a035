from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.identity import (
    HandleLookup,
    LookupFailed,
    NoSuchIdentity,
    Resolver,
    SigningKeys,
    proven_readers,
    resolver,
    signing_keys,
)
from atsite.core.identity.lookup_budget import SLOT_SECONDS, Budget, Budgets
from atsite.core.kv import PREFIX, quick
from atsite.core.kv.quick import Asking
from atsite.core.outgoing import Client
from atsite.core.token_bucket import TokenBucket
from tests.core.identity.network import Network, document, running
from tests.steps import steps
from tests.tokens import key
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    import redis

    from atsite.core.atproto.keys import PublicKey

KEYS = [public_key_of(key(number)) for number in (7, 8)]
NOWHERE = Asking("redis://127.0.0.1:1")


def did(number: int) -> Did:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return Did("did:plc:" + letters[number // 26 % 26] + letters[number % 26] * 23)


@dataclass
class World:
    network: Network
    keys: SigningKeys
    time: float = 1000.0

    def publish(self, who: Did, number: int = 0) -> None:
        self.network.answers[f"/{who}"] = document(who, "a.test", KEYS[number].multibase)


@asynccontextmanager
async def world(cache: Asking | None, *, host_seconds: float = 3.0, **stored: Any) -> AsyncIterator[World]:
    async with running() as network, Client(loopback=True) as client:
        names = Resolver(
            client, cache, plc_url=network.url, handles=HandleLookup(), loopback=True, host_seconds=host_seconds
        )
        made = World(network, SigningKeys(names, cache, clock=lambda: made.time, **stored))
        yield made
        network.gate.set()  # callers that still wait are answered, as the client goes


async def refused(question: Awaitable[object]) -> str:
    """The kind of error with which a question ends."""
    try:
        await question
    except (LookupFailed, NoSuchIdentity) as error:
        return type(error).__name__
    return ""


async def test_a_key_is_asked_once_and_is_then_at_hand(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.publish(did(1))
        assert here.keys.at_hand(did(1)) is None
        assert [await here.keys.key(did(1)) for _ in range(3)] == [KEYS[0]] * 3
        assert here.keys.at_hand(did(1)) == KEYS[0]
        assert here.network.asked == [f"/{did(1)}"]


async def test_after_a_minute_redis_is_asked_where_another_process_may_have_put_a_newer_key(
    valkey: redis.Redis,
) -> None:
    async with world(quick.asking()) as here, world(quick.asking()) as other:
        here.publish(did(1))
        other.publish(did(1), 1)
        await here.keys.key(did(1))
        await other.keys.renewed(did(1))
        assert await here.keys.key(did(1)) == KEYS[0]
        here.time += signing_keys.MEMORY_SECONDS
        assert await here.keys.key(did(1)) == KEYS[1]
        assert here.network.asked == [f"/{did(1)}"]


async def test_a_did_without_a_key_and_one_that_is_nobody(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.network.answers[f"/{did(1)}"] = document(did(1), "a.test")
        assert await here.keys.key(did(1)) is None
        with pytest.raises(NoSuchIdentity):
            await here.keys.key(did(2))


async def test_a_rotated_key_is_seen_when_it_is_asked_for_anew(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.publish(did(1))
        await here.keys.key(did(1))
        here.publish(did(1), 1)
        assert await here.keys.renewed(did(1)) == KEYS[1]
        assert here.keys.at_hand(did(1)) == KEYS[1]


async def test_one_did_is_asked_for_anew_once_a_minute(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.publish(did(1))
        assert [await here.keys.renewed(did(1)) for _ in range(3)] == [KEYS[0], None, None]
        here.time += signing_keys.RENEWAL_SECONDS
        assert await here.keys.renewed(did(1)) == KEYS[0]
        assert len(here.network.asked) == 2


async def test_while_the_directory_fails_it_is_not_asked_again_and_nothing_is_concluded(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.network.answers[f"/{did(1)}"] = 503
        assert [await refused(here.keys.renewed(did(1))) for _ in range(3)] == ["LookupFailed"] * 3
        assert len(here.network.asked) == 1


async def test_a_did_that_is_gone_has_no_key_any_more(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.publish(did(1))
        await here.keys.key(did(1))
        del here.network.answers[f"/{did(1)}"]
        assert await refused(here.keys.renewed(did(1))) == "NoSuchIdentity"
        assert await refused(here.keys.key(did(1))) == "NoSuchIdentity"
        assert len(here.network.asked) == 2


async def test_an_answer_that_comes_too_late_is_there_for_the_next_reader(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.publish(did(1))
        here.network.gate.clear()
        waiting = asyncio.create_task(here.keys.key(did(1)))
        await here.network.first.wait()
        waiting.cancel()
        here.network.gate.set()
        await until_async(lambda: here.keys.at_hand(did(1)))
        assert here.network.asked == [f"/{did(1)}"]


def used_up(budget: Budget) -> Budget:
    """The budget without a token, for as long as its clock stands."""
    for _ in steps():
        if budget.bucket.take_within(1000.0, SLOT_SECONDS) is None:
            break
    return budget


async def test_unknown_issuers_do_not_use_up_what_is_kept_for_known_readers(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as before:
        before.keys.prove(did(1))
        await until_async(lambda: valkey.zscore(f"{PREFIX}readers:plc", did(1)))
    async with world(quick.asking()) as here:
        for number in range(1, 5):
            here.publish(did(number))
        used_up(here.keys._budgets.unknown_plc)
        assert [await refused(here.keys.key(did(number))) for number in (2, 1)] == ["LookupFailed", ""]
        # Naming a known reader is no way into that part: anyone can name anyone.
        assert await refused(here.keys.renewed(did(1))) == "LookupFailed"
        here.time += SLOT_SECONDS
        assert await here.keys.renewed(did(1)) == KEYS[0]


async def test_known_readers_are_known_without_redis_by_the_process_that_saw_them() -> None:
    async with world(NOWHERE) as here:
        for number in range(1, 5):
            here.publish(did(number))
        here.keys.prove(did(1))
        used_up(here.keys._budgets.unknown_plc)
        assert (await refused(here.keys.key(did(2))), await here.keys.key(did(1))) == ("LookupFailed", KEYS[0])


async def test_forty_unknown_issuers_at_once_wait_for_their_turn(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as here:
        here.network.seconds = 0.2
        for number in range(40):
            here.publish(did(number))
        assert await asyncio.gather(*(here.keys.key(did(number)) for number in range(40))) == [KEYS[0]] * 40


async def test_hosts_that_do_not_answer_hold_up_no_did_of_the_directory_and_give_their_slots_back(
    valkey: redis.Redis,
) -> None:
    async with world(quick.asking(), host_seconds=0.2) as here, running() as hosts:
        here.publish(did(1))
        hosts.gate.clear()
        slots = Budgets().unknown_web.concurrent
        servers = [await asyncio.start_server(hosts.handle, "127.0.0.1", 0) for _ in range(slots + 1)]
        names = [Did(f"did:web:localhost%3A{server.sockets[0].getsockname()[1]}") for server in servers]
        waiting = [asyncio.create_task(refused(here.keys.key(name))) for name in names]
        await hosts.first.wait()
        assert await here.keys.key(did(1)) == KEYS[0]
        assert await asyncio.gather(*waiting) == ["LookupFailed"] * (slots + 1)
        assert hosts.connections == slots + 1  # the last one had its turn
        hosts.gate.set()
        await until_async(lambda: hosts.ended == hosts.connections)
        for server in servers:
            server.close()


async def test_what_is_proven_is_bounded_and_ends(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proven_readers, "PROVEN_MAX", 3)
    client = quick.asking()
    assert client is not None
    for number in range(5):
        client.ask(lambda redis, number=number: proven_readers.add(redis, did(number)))  # type: ignore[misc]
        client.ask(lambda redis, number=number: proven_readers.add(redis, Did(f"did:web:{number}.test")))  # type: ignore[misc]
    assert valkey.zrange(f"{PREFIX}readers:plc", 0, -1) == [did(number).encode() for number in (2, 3, 4)]
    assert valkey.zcard(f"{PREFIX}readers:web") == 3
    assert valkey.ttl(f"{PREFIX}readers:plc") in range(1, proven_readers.PROVEN_SECONDS + 1)
    month_ago = time.time() - proven_readers.PROVEN_SECONDS
    assert [proven_readers.is_proven(score) for score in (None, month_ago, time.time())] == [False, False, True]


async def test_a_budget_bounds_what_runs_at_once_and_what_is_begun() -> None:
    budget = Budget(concurrent=2, bucket=TokenBucket(rate=1.0, burst=3.0))
    async with budget.slot(10.0, seconds=0.0), budget.slot(10.0, seconds=0.0):
        with pytest.raises(LookupFailed):  # no slot, and its token is gone
            async with budget.slot(10.0, seconds=0.01):
                pass
    with pytest.raises(LookupFailed):  # no token
        async with budget.slot(10.9, seconds=0.0):
            pass
    async with budget.slot(11.0, seconds=0.0):
        pass


def test_the_budgets_together_never_make_the_resolver_wait() -> None:
    budgets = Budgets()
    directory, hosts = (budgets.proven_plc, budgets.unknown_plc), (budgets.proven_web, budgets.unknown_web)
    assert sum(part.concurrent for part in directory) <= resolver.CONCURRENT_LOOKUPS
    assert sum(part.bucket.rate for part in directory) <= resolver.LOOKUPS_PER_SECOND
    assert sum(part.bucket.burst for part in directory) <= resolver.LOOKUPS_BURST
    assert sum(part.concurrent for part in hosts) <= resolver.CONCURRENT_HOSTS


async def test_a_stored_key_asks_nobody_and_one_that_does_not_fit_asks_once(valkey: redis.Redis) -> None:
    replaced: dict[Did, PublicKey | None] = {}
    async with world(
        quick.asking(),
        read_stored=lambda dids: dict.fromkeys(dids, KEYS[0]),
        replace_stored=replaced.__setitem__,
    ) as here:
        here.publish(did(1), 1)
        assert await here.keys.key(did(1)) == KEYS[0]
        assert here.network.asked == []
        assert [await here.keys.renewed(did(1)) for _ in range(2)] == [KEYS[1], None]
        assert (here.network.asked, replaced) == ([f"/{did(1)}"], {did(1): KEYS[1]})
        assert here.keys.at_hand(did(1)) == KEYS[1]
