"""A tiny network on loopback: a PLC directory, did:web hosts and a handle server in one, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass
class Network:
    """What each path answers (a JSON value, or a status), and which paths were asked, in order."""

    connections: int = 0
    ended: int = 0
    #: How long each answer takes.
    seconds: float = 0.0
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    first: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(path)
        self.first.set()
        await self.gate.wait()
        await asyncio.sleep(self.seconds)
        answer = self.answers.get(path, 404)
        status, body = (answer, b"{}") if isinstance(answer, int) else (200, json.dumps(answer).encode())
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        with suppress(ConnectionError):  # its client has given up
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        self.ended += 1


@asynccontextmanager
async def running() -> AsyncIterator[Network]:
    network = Network()
    network.gate.set()
    listener = await asyncio.start_server(network.handle, "127.0.0.1", 0)
    network.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield network


@contextmanager
def in_a_thread() -> Iterator[Network]:
    """The same for a test without an event loop, and for other processes."""
    found: list[Network] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with running() as network:
            found.append(network)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(30)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def document(did: str, handle: str, key: str | None = None) -> dict[str, Any]:
    method = {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
    return {"id": did, "alsoKnownAs": [f"at://{handle}"], "verificationMethod": [method] if key else []}
