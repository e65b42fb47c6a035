"""Look-ups of many callers, combined into batches: while one batch runs, the next one collects keys."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Batched(Generic[K, V]):
    """Answers by key, for one event loop. Nothing is cached.

    `answer` gets up to `size` different keys and must return an answer for each.
    """

    def __init__(self, answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, size: int) -> None:
        self._answer = answer
        self._size = size
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._running: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """The answer from the next batch. If `answer` raises, each caller of that batch gets the error."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_heard)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        # A caller that gives up does not cancel it: others may wait for the same answer.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = {key: self._waiting.pop(key) for key in list(islice(self._waiting, self._size))}
                await self._settle(batch)
        finally:
            self._running = None

    async def _settle(self, batch: dict[K, asyncio.Future[V]]) -> None:
        try:
            answers = await self._answer(list(batch))
            for key, future in batch.items():
                future.set_result(answers[key])
        except BaseException as error:
            for future in batch.values():
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise


def _heard(future: asyncio.Future[V]) -> None:
    """Mark its error as retrieved: asyncio would log it otherwise, and it can contain the key."""
    if not future.cancelled():
        future.exception()
