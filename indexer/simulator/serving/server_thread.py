"""The simulated Jetstream for synchronous code: runs it in a thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from indexer.simulator.serving.server import SimulatedJetstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.simulator.serving.event_source import EventSource

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ThreadedJetstream:
    """A running server; call its methods with `call`, which waits for the result."""

    server: SimulatedJetstream
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
    """`with simulated_jetstream(source) as jetstream: … jetstream.url`; options are those of SimulatedJetstream."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated-jetstream", daemon=True)
    thread.start()
    try:
        server = SimulatedJetstream(source, **options)
        asyncio.run_coroutine_threadsafe(server.open(), loop).result(timeout=30)
        try:
            yield ThreadedJetstream(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.close(), loop).result(timeout=30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
