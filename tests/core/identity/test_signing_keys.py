from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.identity import (
    HandleLookup,
    LookupFailed,
    NoSuchIdentity,
    Resolver,
    SigningKeys,
    did_cache,
    signing_keys,
)
from atsite.core.identity.signing_keys import Budget
from atsite.core.kv import PREFIX, quick
from atsite.core.kv.quick import Asking
from atsite.core.outgoing import Client
from atsite.core.token_bucket import TokenBucket
from tests.core.identity.network import Network, document, running
from tests.tokens import key
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    import redis

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
async def world(cache: Asking | None) -> AsyncIterator[World]:
    async with running() as network, Client(loopback=True) as client:
        names = Resolver(client, cache, plc_url=network.url, handles=HandleLookup(), loopback=True)
        made = World(network, SigningKeys(names, cache, clock=lambda: made.time))
        yield made
        network.gate.set()  # whoever still waits is answered, as the client goes


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


async def test_strangers_do_not_use_up_what_is_kept_for_known_readers(valkey: redis.Redis) -> None:
    async with world(quick.asking()) as before:
        before.keys.prove(did(1))
        await until_async(lambda: valkey.exists(f"{PREFIX}reader:{did(1)}"))
    assert valkey.ttl(f"{PREFIX}reader:{did(1)}") in range(1, signing_keys.PROVEN_SECONDS + 1)
    async with world(quick.asking()) as here:
        for number in range(100):
            here.publish(did(number))
        answers = [await refused(here.keys.key(did(number))) for number in range(2, 60)]
        allowed = int(signing_keys.strangers_budget().bucket.burst)
        assert answers == [""] * allowed + ["LookupFailed"] * (58 - allowed)
        assert await here.keys.key(did(1)) == KEYS[0]
        # Naming a known reader is no way into that part: anybody can name anybody.
        assert await refused(here.keys.renewed(did(1))) == "LookupFailed"
        here.time += 1
        assert await here.keys.renewed(did(1)) == KEYS[0]


async def test_known_readers_are_known_without_redis_by_the_process_that_saw_them() -> None:
    async with world(NOWHERE) as here:
        for number in range(100):
            here.publish(did(number))
        here.keys.prove(did(1))
        for number in range(2, 60):
            await refused(here.keys.key(did(number)))
        assert (await refused(here.keys.key(did(70))), await here.keys.key(did(1))) == ("LookupFailed", KEYS[0])


def test_a_budget_bounds_what_runs_at_once_and_what_is_begun() -> None:
    budget = Budget(concurrent=2, bucket=TokenBucket(rate=1.0, burst=3.0))
    assert [budget.take(10.0) for _ in range(3)] == [True, True, False]
    budget.give_back()
    budget.give_back()
    assert [budget.take(10.0), budget.take(10.0)] == [True, False]
    budget.give_back()
    assert [budget.take(10.9), budget.take(11.0)] == [False, True]


def test_both_parts_together_never_make_the_resolver_wait() -> None:
    parts = [signing_keys.proven_budget(), signing_keys.strangers_budget()]
    assert sum(part.concurrent for part in parts) <= did_cache.CONCURRENT_LOOKUPS
    assert sum(part.bucket.rate for part in parts) <= did_cache.LOOKUPS_PER_SECOND
    assert sum(part.bucket.burst for part in parts) <= 2 * did_cache.LOOKUPS_PER_SECOND
