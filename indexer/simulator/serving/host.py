"""The shared state of all connections of one simulated Jetstream: its events, its clock, and its simulated faults."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.simulator.serving.plc_directory import json_page
from indexer.simulator.serving.websocket_frames import Compressor

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.simulator.serving.event_source import EventSource
    from indexer.simulator.serving.plc_directory import Directory, Page
    from indexer.simulator.serving.post_request import PostRequest
    from indexer.simulator.serving.publisher import Publisher
    from indexer.simulator.serving.xrpc import Xrpc


def _running() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(eq=False)
class Host:
    """The state of one host. Belongs to one event loop."""

    source: EventSource
    #: Where it listens; port 0 is replaced by the chosen free port.
    address: str
    port: int
    #: Unix microseconds.
    clock: Callable[[], int]
    #: With this many undelivered live events a client is disconnected.
    outbox: int
    #: The zstd dictionary of `compress=true`; None: the host refuses it.
    dictionary: bytes | None = None
    directory: Directory | None = None
    xrpc: Xrpc | None = None
    publisher: Publisher | None = None
    #: The oldest kept time (unix microseconds): an older cursor is silently clamped to it. None: all is kept.
    oldest_us: int | None = None
    #: Whether any cursor is answered with 400, like a host that no longer has the requested events.
    cursors_refused: bool = False
    #: Events are sent while this is set.
    running: asyncio.Event = field(default_factory=_running)
    #: For tests: the path and query of every request, options_updates taken, events sent over all connections.
    requests: list[str] = field(default_factory=list)
    updates: int = 0
    sent: int = 0
    #: Until when (monotonic seconds) connections are answered with 503.
    refused_until: float = 0.0
    #: After how many events the next connection is cut; None: it is not.
    drop_after_events: int | None = None

    @property
    def authority(self) -> str:
        """The host and port of a URL."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def origin(self) -> str:
        """The address of the network's identities, if there is a directory."""
        return f"http://{self.authority}"

    def refuses(self) -> bool:
        """Whether connections are refused now."""
        return time.monotonic() < self.refused_until

    def take_drop(self, sent: int, coming: int) -> int | None:
        """How many of `coming` events a connection with `sent` events gets before a simulated cut, if there is one."""
        if self.drop_after_events is None or sent + coming < self.drop_after_events:
            return None
        allowed = max(0, self.drop_after_events - sent)
        self.drop_after_events = None
        return allowed

    async def page(self, target: str) -> Page | None:
        """The answer to a plain request for `target` (path and query); None if there is no such page."""
        page = None if self.publisher is None else self.publisher.get(target, origin=self.origin)
        if page is None and self.directory is not None:
            page = self.directory.page(target, origin=self.origin, now=self.clock())
        if page is None and self.xrpc is not None:
            page = await self.xrpc.page(target, now=self.clock())
        return page

    def posted(self, request: PostRequest) -> Page:
        """The answer to a POST: only the publisher's account takes any."""
        if self.publisher is None:
            return json_page(405, {"error": "MethodNotAllowed", "message": "this server takes no POST"})
        return self.publisher.post(request.target, request.headers.get("authorization", ""), request.body)

    def compressor(self) -> Compressor | None:
        """A compressor for one connection, if a dictionary is set."""
        return None if self.dictionary is None else Compressor(self.dictionary)
