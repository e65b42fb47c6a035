"""Questions under way in one event loop: callers who ask the same wait for the same answer. Nothing is remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class InFlight(Generic[K, V]):
    """Answers by key, each while it is being made. For one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[V]] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._tasks

    async def ask(self, key: K, begin: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer of the question under way, else of the one that `begin` begins. Raises what either raises."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(begin())
            task.add_done_callback(lambda done: self._ended(key, done))
        # A caller that gives up does not end it: the answer is for the others, and for the next one's cache.
        return await asyncio.shield(task)

    def _ended(self, key: K, task: asyncio.Task[V]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # callers have it; unread it would be logged, with what it says of the key
