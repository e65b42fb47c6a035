"""One thread for Django's own sync code on a path that has none of its own.

Django gives each ASGI request a thread for its sync code, makes it for the receivers of request_started and
request_finished where there is no other, and has a second thread wait for its end: two threads a request, a quarter of
what a page of a feed costs. Where the view is async and leaves all that blocks to threads of its own, that code is a
few microseconds, and all requests can share a thread that stays. It must not block, as all requests share it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import ThreadSensitiveContext

if TYPE_CHECKING:
    from atsite.core.web.asgi import Application, Receive, Send

_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="requests")


def sharing(application: Application, path: str) -> Application:
    """An ASGI application whose requests of `path` share a thread; all others have one each, as in Django."""

    async def shared(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] != path:
            await application(scope, receive, send)
            return
        async with ThreadSensitiveContext(executor=_THREAD):  # Django's own inside of it then changes nothing
            await application(scope, receive, send)

    return shared
