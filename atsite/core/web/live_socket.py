"""Websockets that send a page what changes: plain ASGI applications, for pages of the same origin.

Not Channels consumers: a consumer always waits for a message, and granian sends no close meanwhile. There is no channel
layer: each socket reads for itself, so it keeps working while Redis is unavailable.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.urls import re_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

PERIOD_SECONDS: Final = 1.0
#: The right to the socket is looked up again this often; a logout ends the socket soon after.
RECHECK_SECONDS: Final = 10.0
#: Tells the page not to reconnect: it may not see this (codes 4000 to 4999 are the application's own).
LOGGED_OUT: Final = 4401


def sending(read: Callable[[Scope], Awaitable[str]], welcome: Callable[[Scope], Awaitable[bool]]) -> App:
    """An application that sends what `read` returns, each second, until the page closes or is no longer `welcome`.

    Messages of the page are ignored.
    """

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if not await welcome(scope):
            await send({"type": "websocket.close"})  # before accept: the handshake is answered with 403
            return
        await send({"type": "websocket.accept"})
        page_goes = asyncio.ensure_future(_goodbye(receive))
        right_ends = asyncio.ensure_future(_texts(scope, send, read, welcome))
        try:
            await asyncio.wait({page_goes, right_ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = right_ends.done()
            page_goes.cancel()
            right_ends.cancel()
        if ended:
            right_ends.result()
            await send({"type": "websocket.close", "code": LOGGED_OUT})

    return socket


async def _goodbye(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _texts(
    scope: Scope, send: Send, read: Callable[[Scope], Awaitable[str]], welcome: Callable[[Scope], Awaitable[bool]]
) -> None:
    """Returns when the right ends."""
    loop = asyncio.get_running_loop()
    checked_at = loop.time()
    while loop.time() - checked_at < RECHECK_SECONDS or await welcome(scope):
        if loop.time() - checked_at >= RECHECK_SECONDS:
            checked_at = loop.time()
        await send({"type": "websocket.send", "text": await read(scope)})
        await asyncio.sleep(PERIOD_SECONDS)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The application for every other path: refuses the socket."""
    await receive()
    await send({"type": "websocket.close"})


def same_origin(app: App) -> App:
    """Let only pages of the same host and port open a socket; a cookie alone does not prove the origin.

    ALLOWED_HOSTS alone would accept a page of any other port or, where every host is allowed, of any site.
    """

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc.lower()
        host = headers.get(b"host", b"").decode("latin-1").lower()
        await (app if origin and origin == host else nothing)(scope, receive, send)

    return checked


def routed(routes: Sequence[Any]) -> App:
    """Every websocket of a service: `routes` are Django's, with applications as their views; `scope["cookies"]`."""
    router: App = URLRouter([*routes, re_path("", nothing)])  # type: ignore[arg-type]  # Channels' own views
    inner: App = AllowedHostsOriginValidator(CookieMiddleware(router))
    return same_origin(inner)
