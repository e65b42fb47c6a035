"""A keep-alive connection for many requests, which are bytes: cheap, so that the load leaves the service its CPU."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
#: How long an answer may take.
SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0: the server closed the connection without an answer."""

    status: int
    body: bytes = b""


CLOSED: Final = Answer(0)


@dataclass
class Connection:
    """One connection to 127.0.0.1:`port`, opened when it is needed, and again after the server closed it."""

    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def ask(self, raw: bytes) -> Answer:
        """The answer to a request. Raises TimeoutError."""
        async with asyncio.timeout(SECONDS):
            try:
                reader, writer = await self.opened()
                writer.write(raw)
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                return CLOSED
        return Answer(int(head[9:12]), body)

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams of the connection."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        return self._streams

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def get(target: str, authorization: str = "") -> bytes:
    """A GET request as an AppView sends it."""
    header = f"Authorization: {authorization}\r\n" if authorization else ""
    return f"GET {target} HTTP/1.1\r\nHost: feeds.example.com\r\nAccept: application/json\r\n{header}\r\n".encode()


def post(target: str, body: bytes, authorization: str) -> bytes:
    """A POST request with a JSON body."""
    head = (
        f"POST {target} HTTP/1.1\r\nHost: feeds.example.com\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAuthorization: {authorization}\r\n\r\n"
    )
    return head.encode() + body
