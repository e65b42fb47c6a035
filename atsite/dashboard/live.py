"""The live numbers: a websocket that sends the overview each second, to staff with the right, while they are logged in.

There is no channel layer: each socket reads the numbers itself, so it keeps working while Redis is unavailable.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.urls import path, re_path

from atsite.core.roles import Right, may
from atsite.dashboard import overview

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

PERIOD_SECONDS: Final = 1.0
#: The session, the person and the right are looked up again this often; a logout ends the socket soon after.
RECHECK_SECONDS: Final = 10.0
#: Tells the page not to reconnect: it may not see the numbers (codes 4000 to 4999 are the application's own).
LOGGED_OUT: Final = 4401


async def live_numbers(scope: Scope, receive: Receive, send: Send) -> None:
    """Send `overview.current()` until the page closes or its right ends; ignores messages.

    A plain ASGI application instead of a Channels consumer: a consumer always waits for a message, and granian sends no
    close meanwhile.
    """
    await receive()  # websocket.connect
    if not await _welcome(scope):
        await send({"type": "websocket.close"})  # before accept: the handshake is answered with 403
        return
    await send({"type": "websocket.accept"})
    page_goes, right_ends = asyncio.ensure_future(_goodbye(receive)), asyncio.ensure_future(_numbers(scope, send))
    try:
        await asyncio.wait({page_goes, right_ends}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = right_ends.done()
        page_goes.cancel()
        right_ends.cancel()
    if ended:
        right_ends.result()
        await send({"type": "websocket.close", "code": LOGGED_OUT})


async def _goodbye(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _numbers(scope: Scope, send: Send) -> None:
    """Returns when the right ends."""
    loop = asyncio.get_running_loop()
    checked_at = loop.time()
    while loop.time() - checked_at < RECHECK_SECONDS or await _welcome(scope):
        if loop.time() - checked_at >= RECHECK_SECONDS:
            checked_at = loop.time()
        text = json.dumps(await asyncio.to_thread(overview.current))
        await send({"type": "websocket.send", "text": text})
        await asyncio.sleep(PERIOD_SECONDS)


async def _welcome(scope: Scope) -> bool:
    """Whether the session belongs to a user who may see the numbers."""
    key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
    if not key:
        return False
    try:
        user = await get_user({"session": SessionStore(key)})
        return bool(await database_sync_to_async(_may_see)(user))
    except DatabaseError:
        return False  # fails closed


def _may_see(user: Any) -> bool:
    return bool(user.is_active and user.is_staff and may(user, Right.SEE_NUMBERS))


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


def application() -> App:
    """Every websocket of the admin service."""
    routes = [path("admin/live/", live_numbers), re_path("", nothing)]  # type: ignore[arg-type]  # Channels' own views
    inner: App = AllowedHostsOriginValidator(CookieMiddleware(URLRouter(routes)))
    return same_origin(inner)
