"""The live numbers: a websocket that sends the overview each second to staff with the right, until they log out."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.urls import path

from atsite.core.roles import Right, may
from atsite.core.web import live_socket
from atsite.dashboard import overview

if TYPE_CHECKING:
    from atsite.core.web.live_socket import App, Scope


async def _numbers(scope: Scope) -> str:
    return json.dumps(await asyncio.to_thread(overview.current))


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


def application() -> App:
    """Every websocket of the admin service."""
    live_numbers = live_socket.sending(_numbers, _welcome)
    return live_socket.routed([path("admin/live/", live_numbers)])  # type: ignore[arg-type]
