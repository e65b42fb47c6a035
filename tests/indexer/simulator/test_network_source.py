from __future__ import annotations

import json
from itertools import islice

import pytest

from indexer.simulator.network.events import Network
from indexer.simulator.network.malformed_frames import SPOILERS, malformed
from indexer.simulator.network.timeline import HOUR, Timeline
from indexer.simulator.serving.network_source import NetworkSource
from indexer.simulator.serving.server import SimulatedJetstream
from tests.indexer.simulator.subscribers import subscriber, take

EPOCH = 1_790_000_000_000_000
TIMELINE = Timeline(seed=3, epoch_us=EPOCH, actors=40, preroll_events=2_000, preroll_hours=24)
SECOND = 1_000_000


def served(source: NetworkSource, cursor: int | None, now: int, steps: int = 8) -> list[bytes]:
    """What a stream gives in some steps while the clock stands still."""
    return [line for batch in islice(source.stream(cursor, lambda: now), steps) for line in batch.lines]


def made(first: int, end: int) -> list[bytes]:
    network = Network(TIMELINE)
    return [network.event(number) for number in range(first, end)]


def test_the_whole_past_is_replayed_up_to_now() -> None:
    assert served(NetworkSource(Network(TIMELINE)), 0, EPOCH + SECOND) == made(0, TIMELINE.first_live + 51)


def test_sparse_leaves_out_what_was_before_the_start() -> None:
    source = NetworkSource(Network(TIMELINE), sparse=True)
    lines = served(source, 0, EPOCH)
    assert lines == made(TIMELINE.founding, TIMELINE.first_live + 1)


def test_a_cursor_older_than_the_lookback_is_clamped() -> None:
    source = NetworkSource(Network(TIMELINE), lookback_hours=1)
    first = Network(TIMELINE).first_from(EPOCH - HOUR)
    assert served(source, 0, EPOCH) == made(first, TIMELINE.first_live + 1)
    assert served(source, EPOCH - 2 * HOUR, EPOCH) == made(first, TIMELINE.first_live + 1)


@pytest.mark.parametrize("cursor", [None, EPOCH + HOUR])
def test_live_is_what_happens_from_now_on(cursor: int | None) -> None:
    clock = iter([EPOCH, EPOCH, EPOCH + 100_000, EPOCH + 100_000])
    batches = list(islice(NetworkSource(Network(TIMELINE)).stream(cursor, lambda: next(clock)), 2))
    assert [list(batch.lines) for batch in batches] == [[], made(TIMELINE.first_live + 1, TIMELINE.first_live + 6)]
    assert [batch.wait for batch in batches] == [0.02, 0.0]


def test_a_live_client_hears_how_far_it_is_behind_and_one_that_replays_does_not() -> None:
    clock = iter([EPOCH, EPOCH, EPOCH + 40 * SECOND])
    batches = list(islice(NetworkSource(Network(TIMELINE)).stream(None, lambda: next(clock)), 2))
    assert (len(batches[1].lines), batches[1].behind) == (500, 1_500)
    replaying = next(NetworkSource(Network(TIMELINE)).stream(0, lambda: EPOCH))
    assert (len(replaying.lines), replaying.behind) == (500, 0)


def test_a_second_start_minutes_later_continues_the_same_network() -> None:
    before = served(NetworkSource(Network(TIMELINE)), EPOCH - HOUR, EPOCH + 10 * SECOND)
    after = served(NetworkSource(Network(TIMELINE)), EPOCH - HOUR, EPOCH + 300 * SECOND, 100)
    assert after[: len(before)] == before
    assert len(after) - len(before) == 50 * 290


def test_malformed_frames_come_beside_the_good_events() -> None:
    good = served(NetworkSource(Network(TIMELINE)), 0, EPOCH)
    mixed = served(NetworkSource(Network(TIMELINE), malformed_share=1_000), 0, EPOCH)
    assert mixed == served(NetworkSource(Network(TIMELINE), malformed_share=1_000), 0, EPOCH)
    bad = list(mixed)
    for line in good:
        bad.remove(line)
    assert len(good) // 20 < len(bad) < len(good) // 5
    assert [line for line in mixed if line not in set(bad)] == [line for line in good if line not in set(bad)]


@pytest.mark.parametrize("choice", range(len(SPOILERS)))
def test_each_way_to_spoil_an_event_changes_it(choice: int) -> None:
    network = Network(TIMELINE)
    post = network.event(TIMELINE.founding)
    assert json.loads(post)["commit"]["collection"] == "app.bsky.feed.post"
    spoiled = malformed(post, choice)
    assert spoiled != post
    spoiled.decode()  # a WebSocket carries it


async def test_over_a_socket_the_past_comes_first_and_then_the_living() -> None:
    source = NetworkSource(Network(TIMELINE))
    now = EPOCH
    served = SimulatedJetstream(source, clock=lambda: now)
    async with served as server, subscriber(f"{server.url}?cursor=0") as websocket:
        assert await take(websocket, TIMELINE.first_live + 1) == made(0, TIMELINE.first_live + 1)
        now = EPOCH + SECOND
        last = TIMELINE.first_live + 51
        assert await take(websocket, 50) == made(last - 50, last)
