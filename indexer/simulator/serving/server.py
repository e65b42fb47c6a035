"""The server: Jetstream v1's `/subscribe` over real sockets, and on the same port the identities (plc_directory.py)
and repos (xrpc.py) of the accounts.

The handshake, control frames and client messages go through websockets' Sans-I/O protocol
(https://websockets.readthedocs.io/en/stable/howto/sansio.html); events are framed here and written to the transport in
batches, because one `send` per event would make the sender the slowest part of a benchmark. Every write waits for the
socket, so a replay runs at the client's rate; a live client that falls `host.OUTBOX` events behind is disconnected.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from indexer.simulator.serving.connection import PATH, Connection
from indexer.simulator.serving.host import Host

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(eq=False)
class SimulatedJetstream(Host):
    """One listening Jetstream: `async with SimulatedJetstream(source) as server: … server.url`.

    Call all methods in the server's event loop.
    """

    connection_type: ClassVar[type[Connection]] = Connection
    connections: set[Connection] = field(default_factory=set, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)

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

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self.connection_type(self, reader, writer, task)
        self.connections.add(connection)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # disconnects raise many kinds of errors
                await connection.serve()
        finally:
            self.connections.discard(connection)
            connection.abort()
