"""The server: Jetstream v1's `/subscribe` over real sockets, and on the same port the identities (plc_directory.py)
and repos (xrpc.py) of the accounts.

The handshake, control frames and client messages go through websockets' Sans-I/O protocol
(https://websockets.readthedocs.io/en/stable/howto/sansio.html); events are framed here and written to the transport in
batches, because one `send` per event would make the sender the slowest part of a benchmark. Every write waits for the
socket, so a replay runs at the client's rate; a live client that falls `OUTBOX` events behind is disconnected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, Self

from atsite.core.clock import now_us
from indexer.simulator.serving.connection import PATH, Connection
from indexer.simulator.serving.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from indexer.simulator.serving.event_source import EventSource
    from indexer.simulator.serving.plc_directory import Directory
    from indexer.simulator.serving.publisher import Publisher
    from indexer.simulator.serving.xrpc import Xrpc

# With this many undelivered live events a client is disconnected, as on the real host.
OUTBOX: Final = 10_000


class SimulatedJetstream(Host):
    """One listening Jetstream: `async with SimulatedJetstream(source) as server: … server.url`.

    It can also simulate the faults of a real host: see the methods under "Faults". Call all methods in the server's
    event loop.
    """

    def __init__(
        self,
        source: EventSource,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        dictionary: bytes | None = None,
        clock: Callable[[], int] = now_us,
        outbox: int = OUTBOX,
        directory: Directory | None = None,
        xrpc: Xrpc | None = None,
        publisher: Publisher | None = None,
    ) -> None:
        super().__init__(source, host, port, clock, outbox, dictionary, directory, xrpc, publisher)
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address to subscribe to, without a query."""
        return f"ws://{self.authority}{PATH}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen; port 0 is replaced by a free one."""
        self.source.start(self.clock())
        self._server = await asyncio.start_server(self._accept, self.address, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection, at once."""
        assert self._server is not None, "open() comes first"
        self._server.close()
        tasks = [connection.task for connection in self.connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    # Faults

    def drop_connections(self) -> None:
        """Cut every connection now, without a closing handshake."""
        for connection in self.connections:
            connection.abort()

    def drop_after(self, events: int) -> None:
        """Cut the next connection once, after exactly this many events."""
        self.drop_after_events = events

    def pause(self) -> None:
        """Send no event until `resume`; connections stay open and answer pings."""
        self.running.clear()

    def resume(self) -> None:
        """Continue where `pause` stopped."""
        self.running.set()

    def refuse_connections(self, seconds: float) -> None:
        """Answer 503 to every client that connects during the next seconds; 0 ends it."""
        self.refused_until = time.monotonic() + seconds

    def send_to_all(self, message: bytes) -> None:
        """Send one text message as it is, well-formed or not, to every connection."""
        for connection in self.connections:
            connection.inject([message])

    def duplicate_last(self, events: int) -> None:
        """Send every connection its last events (1,000 at most) again."""
        for connection in self.connections:
            connection.repeat(events)

    def clamp_lookback(self, oldest_us: int | None) -> None:
        """Keep nothing before this time: an older cursor is silently clamped to it. None keeps everything again."""
        self.oldest_us = oldest_us

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self, reader, writer, task)
        self.connections.add(connection)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # disconnects raise many kinds of errors
                await connection.serve()
        finally:
            self.connections.discard(connection)
            connection.abort()
