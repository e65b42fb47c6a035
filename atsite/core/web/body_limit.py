"""Limits request bodies while they are read: Django reads the whole body, to a file, before it calls any view."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from atsite.core.web.asgi import respond

if TYPE_CHECKING:
    from atsite.core.web.asgi import Application, Receive, Send

#: A call of sendInteractions, the largest that the services take.
BODY_MAX: Final = 256 * 1024
#: How long a complete body may take: no caller waits longer for the answer to a call of this size.
BODY_SECONDS: Final = 10.0
#: How much of a refused body is read and dropped: closing a connection with unread bytes would lose the answer.
DRAINED_MAX: Final = 1024 * 1024
DRAINED_SECONDS: Final = 1.0


class _Refused(Exception):
    """The body is not read to its end. `args`: status, name and message of the answer."""


def limited(application: Application, most: int = BODY_MAX, *, seconds: float = BODY_SECONDS) -> Application:
    """An ASGI application that hands on bodies of at most `most` bytes that come within `seconds`.

    It answers larger ones with 413, slower ones with 408, and those that break off or cannot be decoded with 400.
    """

    async def bounded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        too_large = _Refused(413, "PayloadTooLarge", f"at most {most} bytes in one call")
        if _announced(scope) > most:
            await _refuse(receive, send, too_large)
            return
        size, whole, broken, started = 0, False, False, False
        deadline = asyncio.get_running_loop().time() + seconds

        async def counted() -> dict[str, Any]:
            nonlocal size, whole, broken
            if whole:  # what comes now is the news that the caller has gone
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                raise _Refused(408, "InvalidRequest", f"the body did not come within {seconds:g} seconds") from error
            broken = message["type"] == "http.disconnect"
            size += len(message.get("body", b""))
            if size > most:
                raise too_large
            whole = not message.get("more_body", False)
            return message

        async def noted(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await application(scope, counted, noted)
        except _Refused as refused:  # Django reads the whole body before anything else, so nothing was answered yet
            await _refuse(receive, send, refused)
        if broken and not started:  # Django answers nothing then, and the server would say 500
            await _refuse(receive, send, _Refused(400, "InvalidRequest", "the body broke off or cannot be decoded"))

    return bounded


def _announced(scope: dict[str, Any]) -> int:
    """The Content-Length; 0 if it is missing or invalid, as the bytes are counted anyway."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(receive: Receive, send: Send, refused: _Refused) -> None:
    status, name, message = refused.args
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_SECONDS):
            await _drain(receive)
    body = json.dumps({"error": name, "message": message}).encode()
    await respond(send, status, [(b"content-type", b"application/json")], body)


async def _drain(receive: Receive) -> None:
    size, more = 0, True
    while more and size < DRAINED_MAX:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
