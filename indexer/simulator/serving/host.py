"""The shared state of all connections of one simulated Jetstream: its events and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clock import now_us
from indexer.simulator.serving.plc_directory import json_page
from indexer.simulator.serving.websocket_frames import Compressor

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.simulator.serving.event_source import EventSource
    from indexer.simulator.serving.owner import Owner
    from indexer.simulator.serving.plc_directory import Directory, Page
    from indexer.simulator.serving.post_request import PostRequest
    from indexer.simulator.serving.publisher import Publisher
    from indexer.simulator.serving.xrpc import Xrpc


# With this many undelivered live events a client is disconnected, as on the real host.
OUTBOX: Final = 10_000


@dataclass(eq=False)
class Host:
    """The state of one host. Belongs to one event loop."""

    source: EventSource
    #: Where it listens; port 0 is replaced by the chosen free port.
    address: str = "127.0.0.1"
    port: int = 0
    #: Unix microseconds.
    clock: Callable[[], int] = now_us
    #: The zstd dictionary of `compress=true`; None: the host refuses it.
    dictionary: bytes | None = None
    directory: Directory | None = None
    xrpc: Xrpc | None = None
    publisher: Publisher | None = None
    owner: Owner | None = None

    @property
    def authority(self) -> str:
        """The host and port of a URL."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def origin(self) -> str:
        """The address of the network's identities, if there is a directory."""
        return f"http://{self.authority}"

    async def page(self, target: str) -> Page | None:
        """The answer to a plain request for `target` (path and query); None if there is no such page."""
        page = None if self.publisher is None else self.publisher.get(target, origin=self.origin)
        if page is None and self.owner is not None:
            page = self.owner.get(target, origin=self.origin)
        if page is None and self.directory is not None:
            page = self.directory.page(target, origin=self.origin, now=self.clock())
        if page is None and self.xrpc is not None:
            page = await self.xrpc.page(target, now=self.clock())
        return page

    def posted(self, request: PostRequest) -> Page:
        """The answer to a POST: only the accounts of the publisher and of the owner who tries clean-ups take any."""
        authorization = request.headers.get("authorization", "")
        page = None if self.owner is None else self.owner.post(request.target, authorization, request.body)
        if page is not None:
            return page
        if self.publisher is None:
            return json_page(405, {"error": "MethodNotAllowed", "message": "this server takes no POST"})
        return self.publisher.post(request.target, authorization, request.body)

    def compressor(self) -> Compressor | None:
        """A compressor for one connection, if a dictionary is set."""
        return None if self.dictionary is None else Compressor(self.dictionary)
