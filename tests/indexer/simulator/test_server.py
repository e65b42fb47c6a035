from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from indexer.simulator.serving.connection import WRITE_BUFFER
from indexer.simulator.serving.event_source import Batch
from tests.indexer.simulator.jetstream import FaultyJetstream, MemorySource, simulated_jetstream
from tests.indexer.simulator.subscribers import (
    DEADLINE,
    MIRA,
    TARO,
    account,
    commit,
    identity,
    replay,
    subscriber,
    take,
)
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
FOLLOW = "app.bsky.graph.follow"


def events(count: int) -> list[bytes]:
    return [commit(1_000 + number) for number in range(count)]


def update(**payload: Any) -> str:
    return json.dumps({"type": "options_update", "payload": payload})


async def refusal(url: str, **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, **{"compression": None, **options})
    response = caught.value.response
    assert response.body is not None
    return response.status_code, response.body.decode()


async def test_a_cursor_replays_from_itself_on() -> None:
    lines = events(5)
    async with FaultyJetstream(MemorySource(lines)) as server:
        assert await replay(f"{server.url}?cursor=1002", 3) == lines[2:]
        assert await replay(f"{server.url}?cursor=-5", 5) == lines
        assert server.requests == ["/subscribe?cursor=1002", "/subscribe?cursor=-5"]


@pytest.mark.parametrize("query", ["", "?cursor=", "?cursor=9000000000000000"])
async def test_no_cursor_or_one_in_the_future_is_the_live_tail(query: str) -> None:
    source = MemorySource(events(5))
    async with FaultyJetstream(source) as server, subscriber(server.url + query) as websocket:
        await until_async(lambda: any(connection.streaming for connection in server.connections))
        source.append(identity(7))
        assert await take(websocket, 1) == [identity(7)]


FILTERED = [
    commit(1, POST),
    commit(2, LIKE, TARO),
    identity(3, TARO),
    account(4),
    commit(5, FOLLOW),
    commit(6, "app.bsky.graphics.x"),
    b"not json",
    commit(7, POST, size=400),
]


@pytest.mark.parametrize(
    ("query", "passing"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6, 7]),
        (f"&wantedCollections={POST}", [0, 2, 3, 6, 7]),
        (f"&wantedCollections={POST}&wantedCollections={LIKE}", [0, 1, 2, 3, 6, 7]),
        ("&wantedCollections=app.bsky.graph.*", [2, 3, 4, 6]),
        (f"&wantedDids={TARO}", [1, 2, 6]),
        (f"&wantedDids={MIRA}&wantedCollections=app.bsky.feed.*", [0, 3, 6, 7]),
        ("&maxMessageSizeBytes=400", [0, 1, 2, 3, 4, 5, 6]),
        ("&maxMessageSizeBytes=-1", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("&maxMessageSizeBytes=many", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
async def test_filters_leave_what_was_asked_for(query: str, passing: list[int]) -> None:
    async with FaultyJetstream(MemorySource([*FILTERED, account(8), identity(8)])) as server:
        got = await replay(f"{server.url}?cursor=0{query}", len(passing))
    assert got == [FILTERED[index] for index in passing]


async def test_with_require_hello_nothing_comes_before_the_options() -> None:
    async with (
        FaultyJetstream(MemorySource(FILTERED)) as server,
        subscriber(f"{server.url}?cursor=0&requireHello=true") as websocket,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(websocket.recv(), 0.1)
        await websocket.send(update(wantedCollections=[LIKE], wantedDids=[TARO]))
        assert await take(websocket, 2) == [FILTERED[1], FILTERED[2]]


async def test_an_options_update_replaces_all_former_options() -> None:
    source = MemorySource()
    async with (
        FaultyJetstream(source) as server,
        subscriber(f"{server.url}?wantedCollections={LIKE}&wantedDids={TARO}") as websocket,
    ):
        await websocket.send(update(wantedCollections=[POST]))
        await until_async(lambda: server.updates == 1)
        source.lines += [commit(1, LIKE, TARO), commit(2, POST, MIRA)]
        assert await take(websocket, 1) == [commit(2, POST, MIRA)]
        await websocket.send(update().encode())  # a binary frame
        await until_async(lambda: server.updates == 2)
        source.append(commit(3, LIKE))
        assert await take(websocket, 1) == [commit(3, LIKE)]


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "[]",
        '{"type":"options_update"}',
        '{"type":"other","payload":{}}',
        update(wantedCollections=["post"]),
        update(wantedCollections="app.bsky.feed.post"),
        update(wantedCollections=["app.bsky.*.post"]),
        update(wantedDids=["mira.demo.test"]),
        update(wantedDids=[1]),
        update(maxMessageSizeBytes="1"),
        update(wantedCollections=[f"app.demo.c{number}" for number in range(101)]),
    ],
)
async def test_invalid_options_end_the_connection(message: str) -> None:
    async with FaultyJetstream(MemorySource()) as server, subscriber(server.url) as websocket:
        await websocket.send(message)
        with pytest.raises(ConnectionClosedError) as caught:
            await take(websocket, 1)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("?cursor=yesterday", 400, "cursor must be unix microseconds, not 'yesterday'\n"),
        ("?wantedCollections=post", 400, "wantedCollections: neither a collection nor a prefix: 'post'\n"),
        ("?wantedDids=mira", 400, "wantedDids: not a did: 'mira'\n"),
        ("?" + "wantedCollections=a.b.c&" * 101, 400, "wantedCollections may name 100, not 101\n"),
        ("/other", 404, "the only path is /subscribe\n"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_with_the_reason(query: str, status: int, text: str) -> None:
    async with FaultyJetstream(MemorySource()) as server:
        assert await refusal(server.url + query) == (status, text)


async def test_compression_without_a_dictionary_is_refused() -> None:
    text = "compress=true is not available: this server has no dictionary (--dictionary)\n"
    async with FaultyJetstream(MemorySource()) as server:
        assert await refusal(f"{server.url}?compress=true") == (400, text)
        assert await refusal(server.url, additional_headers={"Socket-Encoding": "zstd"}) == (400, text)


@pytest.mark.shared_data
async def test_compressed_frames_unpack_with_the_dictionary_of_the_network(shared_data: Path) -> None:
    dictionary = (shared_data / "zstd-dictionaries" / "legacy_subscribe.zdict").read_bytes()
    lines = [commit(1, POST, size=4_000), identity(2), commit(3)]
    async with FaultyJetstream(MemorySource(lines), dictionary=dictionary) as server:
        packed = await replay(f"{server.url}?cursor=0&compress=true", 3)
        text = await replay(f"{server.url}?cursor=0", 3)
    unpacker = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(dictionary))
    assert [zstandard.get_frame_parameters(frame).dict_id for frame in packed] == [1_612_007_021] * 3
    assert [unpacker.decompress(frame, max_output_size=100_000) for frame in packed] == lines == text


async def test_compression_and_deflate_exclude_each_other() -> None:
    async with FaultyJetstream(MemorySource(), dictionary=b"any dictionary will do") as server:
        status, text = await refusal(f"{server.url}?compress=true", compression="deflate")
        assert (status, text) == (
            400,
            "compress=true and permessage-deflate exclude each other: connect without that extension\n",
        )
        async with connect(server.url, compression="deflate") as websocket:  # offered and not taken
            assert websocket.protocol.extensions == []


class Flood:
    """A live stream of which a client is always `behind` events behind."""

    def __init__(self, behind: int) -> None:
        self.behind = behind

    def start(self, now: int) -> None:
        pass

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        yield Batch([commit(1)], 0.0, self.behind)
        while True:
            yield Batch((), 0.01)


async def test_a_live_client_that_falls_too_far_behind_is_dropped() -> None:
    async with FaultyJetstream(Flood(10_000)) as server:
        assert await replay(server.url, 1) == [commit(1)]
    async with FaultyJetstream(Flood(10_001)) as server, subscriber(server.url) as websocket:
        with pytest.raises(ConnectionClosed):
            await take(websocket, 1)


async def test_a_replay_waits_for_a_slow_client_and_loses_nothing() -> None:
    lines = [commit(number, size=1_000) for number in range(1, 20_001)]
    async with (
        FaultyJetstream(MemorySource(lines)) as server,
        subscriber(f"{server.url}?cursor=0", max_queue=1) as websocket,
    ):
        held = 0

        def is_held() -> bool:
            """Whether the server waited for the socket in many looks in a row: it would have sent all meanwhile."""
            nonlocal held
            buffered = [each._writer.transport.get_write_buffer_size() for each in server.connections]
            held = held + 1 if buffered and min(buffered) > WRITE_BUFFER else 0
            return held > 20

        await until_async(is_held, lambda: f"the server waits for its client; it sent {server.sent}")
        assert server.sent < len(lines)
        assert await take(websocket, len(lines)) == lines


async def test_connections_can_be_cut_at_once() -> None:
    source = MemorySource(events(3))
    async with FaultyJetstream(source) as server, subscriber(f"{server.url}?cursor=0") as websocket:
        assert await take(websocket, 3) == source.lines
        server.drop_connections()
        with pytest.raises(ConnectionClosedError):
            await take(websocket, 1)
        assert await replay(f"{server.url}?cursor=1002", 1) == source.lines[2:]


async def test_a_connection_can_be_cut_behind_an_exact_number_of_events_once() -> None:
    source = MemorySource(events(10))
    async with FaultyJetstream(source) as server:
        server.drop_after(4)
        async with subscriber(f"{server.url}?cursor=0") as websocket:
            assert await take(websocket, 4) == source.lines[:4]
            with pytest.raises(ConnectionClosedError):
                await take(websocket, 1)
        assert await replay(f"{server.url}?cursor=0", 10) == source.lines


async def test_connections_can_be_refused_for_a_while() -> None:
    async with FaultyJetstream(MemorySource(events(1))) as server:
        server.refuse_connections(3_600)
        assert await refusal(server.url) == (503, "not ready\n")
        server.refuse_connections(0)
        assert await replay(f"{server.url}?cursor=0", 1) == events(1)


async def test_closing_the_server_ends_its_connections() -> None:
    async with FaultyJetstream(MemorySource(events(1))) as server:
        websocket = await connect(f"{server.url}?cursor=0", compression=None)
        await take(websocket, 1)
    with pytest.raises(ConnectionClosedError):
        await take(websocket, 1)


async def test_a_client_that_leaves_politely_is_answered_and_forgotten() -> None:
    async with FaultyJetstream(MemorySource()) as server:
        websocket = await connect(server.url, compression=None)
        await asyncio.wait_for(await websocket.ping(), DEADLINE)
        await websocket.close()
        assert websocket.close_code == 1000
        await until_async(lambda: not server.connections)


def test_code_without_an_event_loop_uses_it_in_a_thread() -> None:
    from websockets.sync.client import connect as connect_sync

    with (
        simulated_jetstream(MemorySource(events(2))) as jetstream,
        connect_sync(f"{jetstream.url}?cursor=0", compression=None) as websocket,
    ):
        assert [websocket.recv(timeout=DEADLINE, decode=False) for _ in range(2)] == events(2)
        jetstream.call(jetstream.server.send_to_all, b"hello")
        assert websocket.recv(timeout=DEADLINE) == "hello"
