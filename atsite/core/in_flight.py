"""Shares requests that are in flight in one event loop: equal requests wait for one answer. Caches nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class InFlight(Generic[K, V]):
    """Requests in flight, by key. For one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[V]] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._tasks

    async def ask(self, key: K, begin: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer of the request in flight, else of a new one that `begin` starts. Raises its error."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(begin())
            task.add_done_callback(lambda done: self._ended(key, done))
        # A cancelled caller does not cancel the request: others wait for its answer, and it fills caches.
        return await asyncio.shield(task)

    def _ended(self, key: K, task: asyncio.Task[V]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # callers get it; unread, asyncio would log it together with the key
