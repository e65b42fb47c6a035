"""Fifty readers at once, over HTTP, while feeds are refreshed and labels change; and while the stores are killed.

What counts as right is written in tests.feeds.load.judge.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.config import BASE_DIR
from atsite.core.embedded import EmbeddedClickHouse, EmbeddedValkey
from tests.feeds import readers as sites
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.load.judge import Away, Record, World, judged
from tests.feeds.load.people import INSTRUCTIONS
from tests.feeds.load.readers import Readers
from tests.waiting import until, until_async

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.feeds.readers import Site

VIEWERS = 12
DATABASE = "atsite_load"
#: How long all is well, how long a store stays away, and how long all is well after that.
WELL_SECONDS, AWAY_SECONDS, AFTER_SECONDS = 60, 6, 8
DEADLINE_SECONDS = 60

pytestmark = pytest.mark.slow


@dataclass
class People:
    """The process of tests.feeds.load.people, and what it told."""

    process: subprocess.Popen[str]
    told: list[dict[str, Any]] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@dataclass
class Place:
    """A whole site of its own."""

    site: Site
    people: People
    clickhouse: EmbeddedClickHouse
    valkey: EmbeddedValkey
    world: World


@contextmanager
def people_at_work(environment: dict[str, str], viewers: list[str], log: Path) -> Iterator[People]:
    """They have filled the stores, and begin to change them when they are told so."""
    command = [sys.executable, "-m", "tests.feeds.load.people"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
            cwd=BASE_DIR,
        )  # fmt: skip
    people = People(process)
    listening = Thread(target=people.listen, daemon=True)
    listening.start()
    try:
        people.tell(json.dumps(viewers))
        until(lambda: bool(people.told) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield people
    finally:
        process.kill()
        listening.join(DEADLINE_SECONDS)
        with process:
            pass  # closes its pipes and waits


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Stores, a feed generator and people that belong to this test alone."""
    with (
        EmbeddedClickHouse(tmp_path / "clickhouse", database=DATABASE) as clickhouse,
        EmbeddedValkey(tmp_path / "valkey") as valkey,
    ):
        variables = {
            "DATA_DIR": str(tmp_path),
            "CLICKHOUSE_ADDRESS": f"{clickhouse.address.host}:{clickhouse.address.tcp_port}",
            "CLICKHOUSE_USERNAME": clickhouse.address.user,
            "CLICKHOUSE_PASSWORD": clickhouse.address.password,
            "CLICKHOUSE_DATABASE": DATABASE,
            "REDIS_ADDRESS": valkey.address.url(0),
            "FEED_ACTOR_DID": PUBLISHER,
            "FEED_MIN_LIKES": "2",
        }
        viewers = [sites.new_did() for _ in range(VIEWERS)]
        with (
            people_at_work({**os.environ, **variables}, viewers, tmp_path / "people.log") as people,
            sites.running(tmp_path, **variables) as site,
        ):
            for viewer in viewers:
                site.introduce(viewer)
            ready = people.told[0]
            world = World(
                hot=tuple(ready["hot"]),
                listed=tuple(ready["listed"]),
                private=frozenset(ready["private"]),
                public=frozenset(ready["public"]),
                public_lasting=frozenset(ready["public_lasting"]),
                instructions=INSTRUCTIONS,
            )
            yield Place(site, people, clickhouse, valkey, world)


async def kill_and_restart(place: Place, readers: Readers, store: EmbeddedClickHouse | EmbeddedValkey) -> None:
    """The store dies, is away for some seconds, and comes back with its data, on the same port; nothing else is done.

    It counts as away until all answers are again what they were.
    """
    away = Away("Redis" if store is place.valkey else "ClickHouse", time.monotonic())
    readers.record.away.append(away)
    await asyncio.to_thread(store.kill)
    await asyncio.sleep(AWAY_SECONDS)  # how long readers meet the failure is what is tested
    assert not await readers.all_well() or store is place.valkey
    await asyncio.to_thread(store.restart)
    await until_async(readers.all_well, f"the feeds came back after {away.store}")
    away.ended = time.monotonic()
    await asyncio.sleep(AFTER_SECONDS)  # so long all must stay well


async def test_fifty_readers_get_right_pages_while_everything_changes_and_stores_die(place: Place) -> None:
    record = Record(changes=place.people.told)
    readers = Readers(str(place.site.service.http.base_url), place.site.dids, record)
    assert await readers.all_well()  # the directory is asked for each reader once, a few a second
    reading = asyncio.create_task(readers.run())
    place.people.tell("go")
    await asyncio.sleep(WELL_SECONDS)  # so long fifty readers read while all is well
    for store in (place.valkey, place.clickhouse):
        await kill_and_restart(place, readers, store)
    readers.stop.set()
    await reading
    assert place.people.process.poll() is None
    problems = judged(record, place.world, set(place.site.dids[: VIEWERS // 3]))
    assert problems == []
    # That there was something to judge.
    seen = {(answer.feed, answer.status) for answer in record.answers}
    assert seen >= {("whats-hot", 200), ("a-mpls", 200), ("cl-tqsp", 200), ("bangers", 200), ("cl-tqsp", 503)}
    assert {walk.feed for walk in record.walks} == {"whats-hot", "cl-tqsp", "bangers"}
    assert {change["what"] for change in record.changes} == {"ready", "label", "deleting", "deleted"}
