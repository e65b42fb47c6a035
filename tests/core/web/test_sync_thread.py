"""Which thread the sync code of a request runs in."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from atsite.core.web.sync_thread import sharing

PAGE = "/xrpc/page"


async def threads_of(*paths: str) -> list[threading.Thread]:
    """The threads of requests that are under way at the same time, two calls in each."""
    together = asyncio.Barrier(len(paths))
    found: dict[int, threading.Thread] = {}

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():  # as Django does
            first = await sync_to_async(threading.current_thread)()
            await together.wait()
            assert await sync_to_async(threading.current_thread)() is first
            found[scope["number"]] = first

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is read or sent")

    shared = sharing(application, PAGE)
    scopes = [{"type": "http", "path": path, "number": number} for number, path in enumerate(paths)]
    await asyncio.gather(*(shared(scope, nothing, nothing) for scope in scopes))
    return [found[number] for number in range(len(paths))]


async def test_requests_of_the_path_share_a_thread_that_stays() -> None:
    first, second = await threads_of(PAGE, PAGE)
    (later,) = await threads_of(PAGE)
    assert first is second is later
    assert later.is_alive()
    assert later is not threading.current_thread()


async def test_other_requests_have_a_thread_each_which_ends_with_them() -> None:
    page, other, another = await threads_of(PAGE, "/other", "/other")
    assert len({page, other, another}) == 3
    assert [thread.is_alive() for thread in (page, other, another)] == [True, False, False]
