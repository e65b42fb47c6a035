"""One subscriber of the simulated Jetstream: handshake, options, and events at the rate of its socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from indexer.simulator.errors import SimulatorError
from indexer.simulator.serving import post_request
from indexer.simulator.serving.filters import (
    OPTIONS_MAX,
    BadOptions,
    Options,
    Subscription,
    parse_query,
    parse_update,
)
from indexer.simulator.serving.host import OUTBOX
from indexer.simulator.serving.plc_directory import json_page
from indexer.simulator.serving.websocket_frames import text_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.simulator.serving.host import Host
    from indexer.simulator.serving.plc_directory import Page
    from indexer.simulator.serving.websocket_frames import Compressor

PATH: Final = "/subscribe"
_READ: Final = 65_536
# Enough for one block of a recording to be on its way while the next is prepared.
WRITE_BUFFER: Final = 512 * 1024
_PING_SECONDS: Final = 30
_CLOSE_SECONDS: Final = 1
NO_DICTIONARY: Final = "compress=true is not available: this server has no dictionary (--dictionary)\n"
NO_DEFLATE: Final = "compress=true and permessage-deflate exclude each other: connect without that extension\n"


class Connection:
    """Serves one socket from its request to its end."""

    def __init__(
        self,
        host: Host,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self.task = task
        self._host = host
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(max_size=OPTIONS_MAX)
        self._options = Options()
        self._compressor: Compressor | None = None
        self._hello = asyncio.Event()
        # Whether the subscriber has its place in the stream: it gets every event from now on.
        self.streaming = False
        self._message = bytearray()
        writer.transport.set_write_buffer_limits(high=WRITE_BUFFER)

    async def serve(self) -> None:
        """Shake hands, then send events until either side ends it."""
        subscription = await self._shake_hands()
        if subscription is None:
            await self._close()
            return
        tasks = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._send_events(subscription)),
            asyncio.create_task(self._ping()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self._close()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def abort(self) -> None:
        """Cut the socket; buffered data is lost."""
        self._writer.transport.abort()

    # The handshake

    async def _shake_hands(self) -> Subscription | None:
        request: Request | None = None
        while request is None:
            data = await self._reader.read(_READ)
            if not data:
                return None
            if data.startswith(post_request.BEGIN):
                await self._answer_post(data)
                return None
            self._protocol.receive_data(data)
            request = next((event for event in self._protocol.events_received() if isinstance(event, Request)), None)
        response, subscription = self._response(request, await self._host.page(request.path))
        self._protocol.send_response(response)
        await self._flush()
        return subscription if self._protocol.state is State.OPEN else None

    async def _answer_post(self, begun: bytes) -> None:
        try:
            page = self._host.posted(await post_request.read(begun, self._reader))
        except SimulatorError as error:
            page = json_page(400, {"error": "InvalidRequest", "message": str(error)})
        self._writer.write(post_request.response(page))
        await self._writer.drain()

    def _response(self, request: Request, page: Page | None) -> tuple[Response, Subscription | None]:
        if page is not None:
            response = self._protocol.reject(page.status, "")
            response.body = page.body
            for name, value in (("Content-Type", page.content_type), ("Content-Length", str(len(page.body)))):
                del response.headers[name]  # setting it alone would add a second one
                response.headers[name] = value
            return response, None
        refused, subscription = self._judge(request)
        response = self._protocol.accept(request) if refused is None else self._protocol.reject(*refused)
        return response, subscription

    def _judge(self, request: Request) -> tuple[tuple[int, str] | None, Subscription | None]:
        """The subscription of the request, or the status and text of a refusal."""
        parts = urlsplit(request.path)
        if parts.path != PATH:
            return (404, f"the only path is {PATH}\n"), None
        try:
            subscription = parse_query(parts.query)
        except BadOptions as error:
            return (400, f"{error}\n"), None
        if subscription.compress or request.headers.get("Socket-Encoding", "").lower() == "zstd":
            self._compressor = self._host.compressor()
            if self._compressor is None:
                return (400, NO_DICTIONARY), None
            if "permessage-deflate" in ", ".join(request.headers.get_all("Sec-WebSocket-Extensions")):
                return (400, NO_DEFLATE), None
        self._options = subscription.options
        if not subscription.require_hello:
            self._hello.set()
        return None, subscription

    # Input from the client

    async def _listen(self) -> None:
        while True:
            for event in self._protocol.events_received():
                if isinstance(event, Frame):
                    self._receive(event)
            await self._flush()
            if self._protocol.close_expected():
                return
            data = await self._reader.read(_READ)
            if not data:
                self._protocol.receive_eof()
                await self._flush()
                return
            self._protocol.receive_data(data)

    def _receive(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        self._message += frame.data
        if not frame.fin:
            return
        message = bytes(self._message)
        self._message.clear()
        try:
            self._options = parse_update(message)
        except BadOptions as error:
            self._protocol.fail(CloseCode.POLICY_VIOLATION, str(error)[:100])
            return
        self._hello.set()

    # Output to the client

    async def _send_events(self, subscription: Subscription) -> None:
        await self._hello.wait()
        for batch in self._host.source.stream(subscription.cursor, self._host.clock):
            self.streaming = True
            if batch.behind > OUTBOX:
                self._protocol.fail(CloseCode.POLICY_VIOLATION, "too slow")
                return
            options = self._options
            lines = batch.lines if options.wants_all else [line for line in batch.lines if options.passes(line)]
            if lines:
                await self._send(lines)
            # drain() does not yield while the buffer is below its limit; let other connections run.
            await asyncio.sleep(batch.wait)

    async def _send(self, lines: Sequence[bytes]) -> None:
        """Send lines and wait for the socket."""
        self._writer.write(self._frames(lines))
        await self._writer.drain()

    def _frames(self, lines: Sequence[bytes]) -> bytes:
        return text_frames(lines) if self._compressor is None else self._compressor.frames(lines)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            self._protocol.send_ping(b"")
            await self._flush()

    # The end

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
        await self._writer.drain()

    async def _close(self) -> None:
        """Send the protocol's remaining data, and wait a moment for it to arrive."""
        if self._writer.is_closing():
            return
        async with asyncio.timeout(_CLOSE_SECONDS):
            await self._flush()
            self._writer.close()
            await self._writer.wait_closed()
