from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs
from websockets.http11 import Request
from websockets.server import ServerProtocol

from atsite.core.clock import HOUR_US, now_us
from indexer.index.checkpoint import start_from, start_live
from indexer.index.gaps import Resumed
from indexer.stream import backoff, metrics, websocket
from indexer.stream import dial as dial_module
from indexer.stream import jetstream as jetstream_module
from indexer.stream.backoff import BACKOFF_FIRST, BACKOFF_MAX, Backoff
from indexer.stream.batch import Limits
from indexer.stream.jetstream import (
    NO_STREAM_MAX,
    NOTHING,
    REFUSALS_MAX,
    Jetstream,
    NoStream,
    host_of,
    subscribe_url,
)
from tests.indexer import frames
from tests.indexer.conftest import PATIENCE, index
from tests.indexer.frames import MINUTE, SECOND, T0
from tests.indexer.running import running
from tests.indexer.serving import DRIP, serving
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import _rows as rows_of
from tests.indexer.stream_fold import fold, stored
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM = [frames.account(frames.did(number), active=True, at=T0 + number * SECOND) for number in range(200)]


@pytest.fixture
def opened() -> Iterator[list[Jetstream]]:
    """Sources made by a test; closed at its end."""
    sources: list[Jetstream] = []
    yield sources
    for each in sources:
        each.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_FIRST", 0.02)


def read(source: Jetstream, number: int) -> tuple[list[bytes], list[Resumed]]:
    """At least that many frames, and every time it said that it resumed."""
    got: list[bytes] = []
    resumed: list[Resumed] = []

    def enough() -> bool:
        chunk = source.read()
        got.extend(chunk.frames)
        if chunk.resumed is not None:
            resumed.append(chunk.resumed)
        if chunk.frames:
            source.seen(max(int(frame.partition(b'"time_us":')[2].partition(b",")[0]) for frame in chunk.frames))
        return len(got) >= number

    until(enough, f"{number} frames")
    return got, resumed


@pytest.mark.parametrize(
    ("base", "cursor", "collections", "hello", "url"),
    [
        ("wss://host/subscribe", None, (), False, "wss://host/subscribe"),
        ("wss://host/subscribe", 5, (), False, "wss://host/subscribe?cursor=5"),
        ("ws://host:1/subscribe?x=1", 5, (), False, "ws://host:1/subscribe?x=1&cursor=5"),
        (
            "ws://host/subscribe", None, ("app.bsky.feed.*", "a.b.c"), True,
            "ws://host/subscribe?wantedCollections=app.bsky.feed.*&wantedCollections=a.b.c&requireHello=true",
        ),
    ],
)  # fmt: skip
def test_the_url_says_what_is_wanted(
    base: str, cursor: int | None, collections: tuple[str, ...], hello: bool, url: str
) -> None:
    assert subscribe_url(base, cursor=cursor, collections=collections, hello=hello) == url


def test_the_host_is_told_without_credentials() -> None:
    assert host_of("wss://user:word@jetstream.example.com:444/subscribe?x=1") == "jetstream.example.com:444"


def test_pauses_double_to_a_limit_and_begin_anew_after_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_FIRST", BACKOFF_FIRST)
    longest = Backoff(chance=lambda: 1.0)
    assert [longest.take() for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, BACKOFF_MAX, BACKOFF_MAX]
    longest.reset()
    assert longest.take() == 0.25
    assert Backoff(chance=lambda: 0.0).take() == 0.125


def test_from_a_cursor_on_every_frame_comes_in_order(opened: list[Jetstream]) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        opened.append(Jetstream(jetstream.url, start_from(T0)))

        assert read(opened[0], len(STREAM)) == (STREAM, [Resumed(T0, T0)])


def test_live_begins_with_what_happens_next(opened: list[Jetstream]) -> None:
    source = MemorySource(STREAM[:10])
    with simulated_jetstream(source) as jetstream:
        opened.append(Jetstream(jetstream.url, start_live(T0)))
        until(lambda: not opened[0].read().frames and opened[0].connected, "connected")
        jetstream.call(source.append, STREAM[10])

        assert read(opened[0], 1) == ([STREAM[10]], [])


def test_a_dropped_connection_is_opened_again_a_little_before_what_was_seen(opened: list[Jetstream]) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        jetstream.call(jetstream.server.drop_after, 100)
        opened.append(Jetstream(jetstream.url, start_from(T0)))
        before = connections()

        got, resumed = read(opened[0], len(STREAM) + 6)

    opened_and_lost = [now - earlier for now, earlier in zip(connections(), before, strict=True)]
    assert opened_and_lost == [2, 1]
    assert list(dict.fromkeys(got)) == STREAM
    seen = T0 + 99 * SECOND + 250_000
    assert resumed == [Resumed(T0, T0), Resumed(seen - 5 * SECOND, seen)]


def connections() -> list[float]:
    """How many were opened, and how many lost or refused."""
    return [metric._value.get() for metric in (metrics.CONNECTIONS, metrics.RECONNECTS)]


def test_a_host_that_refuses_is_asked_until_it_does_not(opened: list[Jetstream]) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        jetstream.call(jetstream.server.refuse_connections, 0.3)
        opened.append(Jetstream(jetstream.url, start_from(T0)))

        assert read(opened[0], len(STREAM))[0] == STREAM
        assert len(jetstream.server.requests) > 1


@pytest.mark.parametrize("method", ["receive", "ping", "send"])
def test_a_fault_of_this_program_is_not_taken_for_a_lost_connection(
    opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("a fault of ours")

    monkeypatch.setattr(websocket.Connection, method, broken)
    monkeypatch.setattr(jetstream_module, "PING_AFTER", -1.0)
    wanted = Mock(sent=None, current=Mock(dids=[], update=Mock(return_value=b"{}"))) if method == "send" else None
    with simulated_jetstream(MemorySource()) as jetstream:
        opened.append(Jetstream(jetstream.url, start_from(T0), wanted=wanted))
        with pytest.raises(TypeError, match="a fault of ours"):
            until(lambda: bool(opened[0].read().frames), "the fault")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x88\x04\x03\xe8\xff\xff",  # a close frame whose reason is no UTF-8
        b"\x83\x00",  # an opcode that does not exist
        b"\x81\x7e\x01",  # a header that ends in its middle
        b"",
    ],
)
def test_whatever_a_host_says_at_the_end_it_is_asked_again(opened: list[Jetstream], sent: bytes) -> None:
    with hostile_host(sent) as (url, requests):
        opened.append(Jetstream(url, start_from(T0)))
        until(lambda: not opened[0].read().frames and len(requests) >= 2, "a second connection")


@contextmanager
def hostile_host(sent: bytes) -> Iterator[tuple[str, list[str]]]:
    """A host that opens the websocket, sends these bytes and hangs up; its address, and who came."""
    requests: list[str] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                protocol = ServerProtocol()
                protocol.receive_data(connection.recv(4096))
                (request,) = (each for each in protocol.events_received() if isinstance(each, Request))
                requests.append(request.path)
                protocol.send_response(protocol.accept(request))
                connection.sendall(b"".join(protocol.data_to_send()) + sent)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/subscribe", requests
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_host_that_goes_on_refusing_the_cursor_is_read_live_and_the_gap_is_told(
    opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_MAX", 0.02)
    with simulated_jetstream(MemorySource([])) as jetstream:
        jetstream.server.cursors_refused = True
        opened.append(Jetstream(jetstream.url, start_from(T0)))
        until(lambda: opened[0].read() == NOTHING and opened[0].connected, "a connection without a cursor")
        assert [("cursor=" in each) for each in jetstream.server.requests] == [True] * REFUSALS_MAX + [False]

        jetstream.call(jetstream.server.send_to_all, STREAM[9])
        frames_got, resumed = read(opened[0], 1)

    assert (frames_got, resumed) == ([STREAM[9]], [Resumed(T0, T0, refused=True)])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno",
        b"SSH-2.0\r\n\r\n",
        b"x" * 99_999,
    ],
    ids=["nothing", "no upgrade", "refused", "no HTTP", "garbage"],
)
def test_an_answer_that_is_no_websocket_is_no_end(answer: bytes, opened: list[Jetstream]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = threading.Semaphore(0)

        def serve() -> None:
            for _ in range(2):
                client, _ = server.accept()
                with client:
                    client.recv(65_536)
                    client.sendall(answer)
                asked.release()

        thread = threading.Thread(target=serve)
        thread.start()
        opened.append(Jetstream(f"ws://127.0.0.1:{server.getsockname()[1]}/subscribe", start_from(T0)))
        until(lambda: not opened[0].read().frames and asked.acquire(blocking=False), "asked once")
        until(lambda: not opened[0].read().frames and asked.acquire(blocking=False), "asked again")
        thread.join(PATIENCE)

    assert not opened[0].read().frames


def test_a_quiet_host_that_answers_pings_is_kept(opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream_module, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr(jetstream_module, "PING_AFTER", 0.1)
    monkeypatch.setattr(jetstream_module, "DEAD_AFTER", 30)
    source = MemorySource(STREAM[:1])
    with simulated_jetstream(source) as jetstream:
        opened.append(Jetstream(jetstream.url, start_from(T0)))
        read(opened[0], 1)
        heard = opened[0]._heard_at
        until(lambda: opened[0].read().frames == () and opened[0]._heard_at > heard, "a pong")
        jetstream.call(source.append, STREAM[1])

        assert read(opened[0], 1)[0] == [STREAM[1]]
        assert len(jetstream.server.requests) == 1


def test_a_host_that_answers_nothing_is_left(opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream_module, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr(jetstream_module, "DEAD_AFTER", 0.1)
    with simulated_jetstream(MemorySource(STREAM[:1])) as jetstream:
        opened.append(Jetstream(jetstream.url, start_from(T0)))
        read(opened[0], 1)

        until(lambda: not opened[0].read().frames and len(jetstream.server.requests) > 1, "connected again")


def test_a_handshake_that_never_ends_holds_up_nothing_and_has_an_end(
    opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream_module, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr(dial_module, "CONNECT_TIMEOUT", 0.5)
    with serving(DRIP, pause=0.05) as (url, requests):
        opened.append(Jetstream(url, start_from(T0)))
        reads = 0
        while len(requests) < 2:  # the first try was given up
            assert opened[0].read() == NOTHING
            reads += 1

    assert reads > 10


def test_a_connection_that_opens_after_it_was_given_up_is_closed(opened: list[Jetstream]) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        source = Jetstream(jetstream.url, start_from(T0))
        source._dial = source._begin_dial()
        source.close()
        until(lambda: len(jetstream.server.requests) == 1, "it was opened")
        until(lambda: not jetstream.server.connections, "it is closed")

    assert not source.connected


@pytest.mark.parametrize("status", ["200 OK", "301 Moved", "401 Unauthorized", "404 Not Found", "426 Upgrade Required"])
def test_an_address_without_a_stream_is_said_and_names_the_variable(status: str, opened: list[Jetstream]) -> None:
    with serving(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as (url, requests):
        opened.append(Jetstream(url, start_from(T0)))
        with pytest.raises(NoStream, match=rf"^WS_URL: 127.0.0.1:\d+/feed answers HTTP {status[:3]}"):
            until(lambda: opened[0].read() != NOTHING, "an error")

    assert len(requests) == NO_STREAM_MAX


def test_a_host_that_refuses_with_and_without_the_cursor_and_never_streamed_is_said(
    opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_MAX", 0.02)
    with serving(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as (url, requests):
        opened.append(Jetstream(url, start_from(T0)))
        with pytest.raises(NoStream, match="HTTP 400"):
            until(lambda: opened[0].read() != NOTHING, "an error")

    assert [b"cursor=" in request for request in requests] == [True] * REFUSALS_MAX + [False]


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "503 Service Unavailable", "429 Too Many"])
def test_a_host_that_streamed_before_is_asked_with_the_cursor_again_whatever_it_answers(
    status: str, opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_MAX", 0.02)
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    with simulated_jetstream(MemorySource(STREAM[:20])) as jetstream, serving(answer) as (elsewhere, requests):
        opened.append(Jetstream(jetstream.url, start_from(T0)))
        read(opened[0], 20)
        opened[0]._url = elsewhere
        jetstream.call(jetstream.server.drop_connections)
        until(lambda: opened[0].read() == NOTHING and len(requests) >= 2 * REFUSALS_MAX + 2, "asked often")
        opened[0]._url = jetstream.url
        got, resumed = read(opened[0], 1)

    assert got[0] in STREAM[:20]
    assert [each.refused for each in resumed] == [False]


def test_a_silent_host_that_answers_pings_is_told_of_and_stays_connected(
    opened: list[Jetstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream_module, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr(jetstream_module, "PING_AFTER", 0.05)
    monkeypatch.setattr(jetstream_module, "SILENT_AFTER", 0.3)
    source = MemorySource(STREAM[:1])
    with simulated_jetstream(source) as jetstream, capture_logs() as logs:
        opened += [Jetstream(jetstream.url, start_from(T0)), Jetstream(jetstream.url, start_from(T0), filtered=True)]
        for each in opened:
            read(each, 1)
        assert not opened[0].is_silent
        for each in opened:
            until(lambda each=each: each.read() == NOTHING and each.silent_for() > 0.3, "silence")  # type: ignore[misc]
        assert [each.is_silent for each in opened] == [True, False]
        until(
            lambda: opened[0].read() == NOTHING and any("sends no events" in each["event"] for each in logs), "a word"
        )
        jetstream.call(source.append, STREAM[1])
        read(opened[0], 1)
        assert len(jetstream.server.requests) == 2

    assert [each["event"] for each in logs if "events" in each["event"]] == [
        "the host answers and sends no events",
        "the host sends events again",
    ]
    assert not opened[0].is_silent


def gaps() -> list[tuple[object, ...]]:
    return rows_of("SELECT from_us, to_us, reason FROM stream_gaps FINAL ORDER BY from_us")


@pytest.mark.usefixtures("clickhouse", "valkey")
@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_batch_goes_out_while_a_handshake_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends with events that have waited for no second, and the next handshake drips."""
    addresses: list[str] = []
    monkeypatch.setattr(jetstream_module, "subscribe_url", lambda base, **_: addresses.pop(0) if addresses else base)
    stream = MemorySource(STREAM)
    with simulated_jetstream(stream) as jetstream, serving(DRIP, pause=0.1) as (dripping, requests):
        addresses.append(f"{jetstream.url}?cursor={T0}")
        with running(dripping, from_cursor=T0, limits=Limits(age=2.0)):
            until(lambda: jetstream.server.sent == len(STREAM), "all is sent")
            jetstream.call(jetstream.server.drop_connections)
            until(lambda: bool(requests), "the next handshake")
            assert stored().accounts == {}
            until(lambda: stored().accounts == fold(STREAM).accounts, "the batch is written")
            assert len(requests) == 1


@pytest.mark.usefixtures("clickhouse", "valkey")
@pytest.mark.django_db(databases=["default", "clickhouse"])
class TestGaps:
    def test_a_clamped_cursor_leaves_a_gap_with_both_ends(self) -> None:
        with simulated_jetstream(MemorySource(STREAM)) as jetstream:
            index(jetstream.url, events=len(STREAM), from_cursor=T0 - 60 * MINUTE)

        assert gaps() == [(T0 - 60 * MINUTE, T0 + 250_000, "clamped")]
        assert stored().accounts == fold(STREAM).accounts

    def test_a_cursor_in_the_hosts_future_leaves_a_gap_and_the_hosts_time_counts_from_then_on(self) -> None:
        source = MemorySource(STREAM[:100])
        future = T0 + 60 * MINUTE
        with simulated_jetstream(source) as jetstream:
            worker = threading.Thread(
                target=index, args=(jetstream.url,), kwargs={"events": 100, "from_cursor": future}
            )
            worker.start()
            until(lambda: bool(jetstream.server.connections), "connected")
            for frame in STREAM[100:]:
                jetstream.call(source.append, frame)
            worker.join(PATIENCE)

        assert gaps() == [(T0 + 100 * SECOND + 250_000, future, "future_cursor")]
        assert stored().accounts == fold(STREAM[100:]).accounts

    def test_a_cursor_that_the_host_goes_on_refusing_leaves_a_gap_also_at_a_first_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff, "BACKOFF_MAX", 0.02)
        began = now_us()
        for first_start in (True, False):
            source = MemorySource([])
            with simulated_jetstream(source) as jetstream:
                jetstream.server.cursors_refused = True
                with running(jetstream.url, from_cursor=None if first_start else T0):
                    open_ones = jetstream.server.connections
                    until(lambda ones=open_ones: any(each.streaming for each in list(ones)), "live")  # type: ignore[misc]
                    moment = began + (1 if first_start else 2) * SECOND
                    jetstream.call(source.append, frames.account(frames.did(1), active=True, at=moment, seen=moment))
                    until(lambda first=first_start: len(gaps()) == (1 if first else 2), "a gap")  # type: ignore[misc]

        (asked, *_), (from_start, to_start, reason) = gaps()[0], gaps()[1]
        assert (asked, gaps()[0][1], gaps()[0][2]) == (T0, began + 2 * SECOND, "refused_cursor")
        assert (to_start, reason) == (began + SECOND, "refused_cursor")
        assert isinstance(from_start, int)
        assert began - 25 * HOUR_US < from_start < began - 23 * HOUR_US

    def test_an_unbroken_stream_that_was_dropped_on_the_way_has_no_gap(self) -> None:
        with simulated_jetstream(MemorySource(STREAM)) as jetstream:
            jetstream.call(jetstream.server.drop_after, 150)
            index(jetstream.url, events=len(STREAM) + 6, from_cursor=T0)

        assert gaps() == []
        assert stored().accounts == fold(STREAM).accounts

    def test_malformed_frames_between_the_others_become_dead_letters(self) -> None:
        stream = [*STREAM[:50], b"{", b"\xff\xfe", b'{"kind":"commit","time_us":1}', *STREAM[50:]]
        with simulated_jetstream(MemorySource(stream)) as jetstream:
            index(jetstream.url, events=len(stream), from_cursor=1)

        assert stored().accounts == fold(STREAM).accounts
        reasons = rows_of("SELECT reason, count() FROM dead_letters FINAL GROUP BY reason ORDER BY reason")
        assert reasons == [("bad_frame", 1), ("malformed", 2)]
