"""A simulated Jetstream for tests: events in memory, the faults of real hosts, and a thread for synchronous code."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from websockets.protocol import State

from indexer.simulator.serving.connection import Connection
from indexer.simulator.serving.event_source import Batch, time_us_of
from indexer.simulator.serving.server import SimulatedJetstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from websockets.frames import Frame
    from websockets.http11 import Request

    from indexer.simulator.serving.event_source import EventSource
    from indexer.simulator.serving.filters import Subscription
    from indexer.simulator.serving.plc_directory import Page

Result = TypeVar("Result")
# How long the reader of a source without a timetable sleeps: short, because tests wait for it.
POLL_SECONDS: Final = 0.01
BATCH: Final = 1_000


class MemorySource:
    """A test's events; more can be appended while clients are connected, and are sent live."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.lines = list(lines)

    def append(self, line: bytes) -> None:
        """Send one more event to every listener."""
        self.lines.append(line)

    def start(self, now: int) -> None:
        """Does nothing: these events have no timetable."""

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """From the first line at or after the cursor; without one, or beyond the last line, only later events."""
        position = len(self.lines)
        if cursor is not None:
            late = (index for index, line in enumerate(self.lines) if (time_us_of(line) or 0) >= cursor)
            position = next(late, position)
        while True:
            lines = self.lines[position : position + BATCH]
            position += len(lines)
            yield Batch(lines, 0.0 if lines else POLL_SECONDS)


class FaultyConnection(Connection):
    """A connection that obeys the faults of its host, and counts for it."""

    _host: FaultyJetstream
    _sent = 0

    def inject(self, line: bytes) -> None:
        """Write a line without filters."""
        if self._protocol.state is State.OPEN:
            self._writer.write(self._frames([line]))

    def _judge(self, request: Request) -> tuple[tuple[int, str] | None, Subscription | None]:
        if time.monotonic() < self._host.refused_until:
            return (503, "not ready\n"), None
        refused, subscription = super()._judge(request)
        if self._host.cursors_refused and subscription is not None and subscription.cursor is not None:
            return (400, "CursorTooOld\n"), None
        return refused, subscription

    def _receive(self, frame: Frame) -> None:
        before = self._options
        super()._receive(frame)
        self._host.updates += self._options is not before

    async def _send(self, lines: Sequence[bytes]) -> None:
        allowed = self._host.take_drop(self._sent, len(lines))
        lines = lines[:allowed]
        self._sent += len(lines)
        self._host.sent += len(lines)
        await super()._send(lines)
        if allowed is not None:
            self._writer.transport.close()  # unlike abort(), after the buffer was sent, and without a close frame
            await self._writer.wait_closed()
            raise ConnectionAbortedError


@dataclass(eq=False)
class FaultyJetstream(SimulatedJetstream):
    """A server with the faults of a real host. Call its methods in its event loop."""

    connection_type = FaultyConnection
    #: The path and query of every request, options_updates taken, events sent over all connections.
    requests: list[str] = field(default_factory=list)
    updates: int = 0
    sent: int = 0
    #: Whether any cursor is answered with 400, like a host that no longer has the requested events.
    cursors_refused: bool = False
    #: Until when (monotonic seconds) connections are answered with 503.
    refused_until: float = 0.0
    #: After how many events the next connection is cut; None: it is not.
    drop_after_events: int | None = None

    async def page(self, target: str) -> Page | None:
        self.requests.append(target)
        return await super().page(target)

    def drop_connections(self) -> None:
        """Cut every connection now, without a closing handshake."""
        for connection in self.connections:
            connection.abort()

    def drop_after(self, events: int) -> None:
        """Cut the next connection once, after exactly this many events."""
        self.drop_after_events = events

    def refuse_connections(self, seconds: float) -> None:
        """Answer 503 to every client that connects during the next seconds; 0 ends it."""
        self.refused_until = time.monotonic() + seconds

    def send_to_all(self, message: bytes) -> None:
        """Send one text message as it is, well-formed or not, to every connection."""
        for connection in self.connections:
            assert isinstance(connection, FaultyConnection)
            connection.inject(message)

    def take_drop(self, sent: int, coming: int) -> int | None:
        """How many of `coming` events a connection with `sent` events gets before a simulated cut, if there is one."""
        if self.drop_after_events is None or sent + coming < self.drop_after_events:
            return None
        allowed = max(0, self.drop_after_events - sent)
        self.drop_after_events = None
        return allowed


@dataclass(frozen=True, slots=True)
class ThreadedJetstream:
    """A running server; call its methods with `call`, which waits for the result."""

    server: FaultyJetstream
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """The address to subscribe to, without a query."""
        return self.server.url

    def call(self, method: Callable[..., Result], *args: Any) -> Result:
        """Run `method(*args)` in the server's loop, such as `call(jetstream.server.drop_connections)`."""

        async def run() -> Result:
            return method(*args)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(timeout=10)


@contextmanager
def simulated_jetstream(source: EventSource, **options: Any) -> Iterator[ThreadedJetstream]:
    """`with simulated_jetstream(source) as jetstream: … jetstream.url`; options are those of FaultyJetstream."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated-jetstream", daemon=True)
    thread.start()
    try:
        server = FaultyJetstream(source, **options)
        asyncio.run_coroutine_threadsafe(server.open(), loop).result(timeout=30)
        try:
            yield ThreadedJetstream(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.close(), loop).result(timeout=30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
