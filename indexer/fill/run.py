"""One round of fills: as many actors as fit into its time, the most needed first, at the rate of the source."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Counter

from atsite.core import kv
from atsite.core.clock import now_us
from atsite.core.config import config
from atsite.core.identity import site_resolver
from atsite.core.kv.lock import single_flight
from atsite.core.outgoing import Client
from indexer.fill import due_actors, queries
from indexer.fill.profile_sources import AppView, AskLater, Directory
from indexer.index.needed_actors import TO_FILL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from atsite.core.atproto.syntax import Did
    from indexer.fill.profile_sources import ProfileSource
    from indexer.fill.profiles import Profile
    from indexer.index.needed_actors import DidProvider

log = structlog.get_logger(__name__)

ASKED = Counter("fill_actors", "Actors looked up: found, absent (no such account), failed (no answer)", ["outcome"])

#: A round begins each minute; the lock lasts longer than the round and its last answer.
ROUND_SECONDS: Final = 45.0
LOCK_SECONDS: Final = 120
#: Names and counts change slowly; an unknown actor may exist tomorrow. After an event without a handle an actor is
#: fetched at once and, as an AppView may lag, once more. In microseconds.
FOUND_US: Final = queries.FOUND_US
ABSENT_US: Final = queries.DAY_US
CHANGED_US: Final = queries.HOUR_US
#: Actors written at once: a few inserts a round.
STORED: Final = 500
_PAUSED: Final = f"{kv.PREFIX}fill:paused"


@dataclass
class Told:
    """Profiles that are not written yet; None for accounts that do not exist."""

    source: str
    profiles: dict[Did, Profile | None] = field(default_factory=dict)
    #: When identities changed, as known before the request (unix microseconds).
    changed_us: dict[Did, int] = field(default_factory=dict)

    def store(self, now: int) -> None:
        """Write it. Raises ClickHouseError."""
        due_us = {did: now + self._holds_us(did, now) for did in self.profiles}
        queries.store(self.profiles, source=self.source, due_us=due_us, changed_us=self.changed_us, now=now)
        self.profiles.clear()
        self.changed_us.clear()

    def _holds_us(self, did: Did, now: int) -> int:
        if self.changed_us.get(did, 0) > now - CHANGED_US:
            return CHANGED_US
        return FOUND_US if self.profiles[did] else ABSENT_US


def fill() -> int:
    """Fetch the actors that are due, unless another process is doing so; returns how many were requested.

    Raises RedisError, ClickHouseError. Pauses for as long as the server asks.
    """
    with single_flight("indexer.fill", LOCK_SECONDS) as mine:
        if not mine or kv.client().exists(_PAUSED):
            return 0
        with asyncio.Runner() as runner, _profile_source(runner) as source:
            return _round(runner, source, TO_FILL.providers())


@asynccontextmanager
async def site_profile_source() -> AsyncIterator[ProfileSource]:
    """The configured AppView; without one, the directory and each PDS."""
    async with Client(loopback=config.allow_loopback) as client:
        if config.appview_url:
            yield AppView(client, config.appview_url)
        else:
            yield Directory(client, site_resolver(client))


@contextmanager
def _profile_source(runner: asyncio.Runner) -> Iterator[ProfileSource]:
    """The source of a round, in the runner's loop. The round itself is not a coroutine, because it reads `default`."""
    stack = AsyncExitStack()
    try:
        yield runner.run(stack.enter_async_context(site_profile_source()))
    finally:
        runner.run(stack.aclose())


def _round(runner: asyncio.Runner, source: ProfileSource, needed: Iterable[DidProvider]) -> int:
    deadline, asked = time.monotonic() + ROUND_SECONDS, 0
    told, dids = Told(source.source), due_actors.due(needed, now=now_us())
    try:
        while time.monotonic() < deadline and (batch := list(islice(dids, source.batch))):
            again_at = time.monotonic() + 1 / source.pace
            told.changed_us.update(queries.changes_of(batch))
            _take(batch, *runner.run(source.ask(batch)), told)
            asked += len(batch)
            if len(told.profiles) >= STORED:
                told.store(now_us())
            time.sleep(max(0.0, again_at - time.monotonic()))
    except AskLater as error:
        log.warning("fill.paused", reason=str(error), seconds=error.seconds)
        kv.client().set(_PAUSED, b"", ex=error.seconds)
    finally:
        told.store(now_us())
    return asked


def _take(batch: list[Did], known: dict[Did, Profile], failed: set[Did], told: Told) -> None:
    absent = [did for did in batch if did not in known and did not in failed]
    told.profiles.update(known)
    told.profiles.update(dict.fromkeys(absent))
    if failed:
        due_actors.remember_failed(failed)
    for outcome, number in (("found", len(known)), ("absent", len(absent)), ("failed", len(failed))):
        ASKED.labels(outcome=outcome).inc(number)
