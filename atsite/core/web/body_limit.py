"""Limits request bodies while they are read: Django reads the whole body, to a file, before it calls any view."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

#: A call of sendInteractions, the largest that the services take.
BODY_MAX: Final = 256 * 1024
#: How much of a larger body is read and dropped: closing a connection with unread bytes would lose the answer.
DRAINED_MAX: Final = 1024 * 1024
DRAINED_SECONDS: Final = 1.0


class _TooLarge(Exception):
    """The body is larger than the limit."""


def limited(application: Application, most: int = BODY_MAX) -> Application:
    """An ASGI application that answers bodies of more than `most` bytes with 413, and passes on the others."""

    async def bounded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if _announced(scope) > most:
            await _refuse(receive, send, most)
            return
        size = 0

        async def counted() -> dict[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise _TooLarge
            return message

        try:
            await application(scope, counted, send)
        except _TooLarge:  # Django reads the whole body before anything else, so nothing was answered yet
            await _refuse(receive, send, most)

    return bounded


def _announced(scope: dict[str, Any]) -> int:
    """The Content-Length; 0 if it is missing or invalid, as the bytes are counted anyway."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(receive: Receive, send: Send, most: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_SECONDS):
            await _drain(receive)
    body = json.dumps({"error": "PayloadTooLarge", "message": f"at most {most} bytes in one call"}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive) -> None:
    size, more = 0, True
    while more and size < DRAINED_MAX:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
