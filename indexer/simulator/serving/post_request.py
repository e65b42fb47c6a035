"""A POST request on the socket of the simulator: websockets' parser reads GET alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from indexer.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from indexer.simulator.serving.plc_directory import Page

BEGIN: Final = b"POST "
_SECONDS: Final = 10
_HEAD_MAX, _BODY_MAX = 16_384, 1_000_000


@dataclass(frozen=True, slots=True)
class PostRequest:
    """`target`: path and query. Header names are in lower case."""

    target: str
    headers: dict[str, str]
    body: bytes


async def read(begun: bytes, reader: asyncio.StreamReader) -> PostRequest:
    """The request that starts with `begun`. Raises SimulatorError if it is malformed, too long or too slow."""
    try:
        async with asyncio.timeout(_SECONDS):
            while b"\r\n\r\n" not in begun and len(begun) < _HEAD_MAX:
                begun += await _more(reader)
            head, _, body = begun.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            length = int(headers.get("content-length", "0"))
            if not 0 <= length <= _BODY_MAX:
                raise SimulatorError("the body is too long")
            while len(body) < length:
                body += await _more(reader)
            return PostRequest(first.split(" ")[1], headers, body[:length])
    except (TimeoutError, ValueError, IndexError) as error:
        raise SimulatorError("not a request that can be read") from error


async def _more(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(65_536)
    if not data:
        raise SimulatorError("the request ended early")
    return data


def response(page: Page) -> bytes:
    """The bytes of an answer that ends its connection."""
    head = (
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + page.body
