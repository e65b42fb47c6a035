"""The live numbers: a websocket that sends the overview each second, to staff with the right, while they are logged in.

There is no channel layer: each socket reads the shared board itself, so that it goes on while Redis is away.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.urls import path, re_path

from atsite.dashboard import overview
from atsite.roles import Right, may

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

PERIOD_SECONDS: Final = 1.0
#: The session, the person and the right are looked up anew this often; a logout ends the numbers soon after.
RECHECK_SECONDS: Final = 10.0
#: A page that has no right to the numbers any more need not come back (codes 4000 to 4999 are the application's own).
LOGGED_OUT: Final = 4401


class LiveNumbers(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Sends `overview.current()`; hears nothing."""

    channel_layer_alias = "none"
    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        if not await self._welcome():
            await self.close()  # before accept(): the handshake is answered with 403
            return
        await self.accept()
        self._sending = asyncio.create_task(self._send_on())

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Nothing is expected from the page."""

    async def _send_on(self) -> None:
        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        while True:
            if loop.time() - checked_at >= RECHECK_SECONDS:
                if not await self._welcome():
                    await self.close(LOGGED_OUT)
                    return
                checked_at = loop.time()
            await self.send_json(await asyncio.to_thread(overview.current))
            await asyncio.sleep(PERIOD_SECONDS)

    async def _welcome(self) -> bool:
        """Whether the session still is that of somebody who may see this."""
        key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        if not key:
            return False
        try:
            user = await get_user({"session": SessionStore(key)})
            return bool(await database_sync_to_async(_may_see)(user))
        except DatabaseError:
            return False  # unknown means closed


def _may_see(user: Any) -> bool:
    return bool(user.is_active and user.is_staff and may(user, Right.SEE_NUMBERS))


class Nothing(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Where there is no socket."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()


def same_origin(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Only a page of this very host and port may open a socket: a cookie alone proves no such thing.

    ALLOWED_HOSTS alone would let in a page of any other port or, where every host is allowed, of any site.
    """
    refuse = Nothing.as_asgi()

    async def checked(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc.lower()
        host = headers.get(b"host", b"").decode("latin-1").lower()
        await (app if origin and origin == host else refuse)(scope, receive, send)

    return checked


def application() -> Callable[..., Awaitable[None]]:
    """Every websocket of the admin service."""
    routes = [path("admin/live/", LiveNumbers.as_asgi()), re_path("", Nothing.as_asgi())]
    inner: Callable[..., Awaitable[None]] = AllowedHostsOriginValidator(CookieMiddleware(URLRouter(routes)))
    return same_origin(inner)
