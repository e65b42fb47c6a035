"""Questions that many ask at once, asked together: while one batch is answered, the next one fills."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Batched(Generic[K, V]):
    """Answers by key, for one event loop. Nothing is remembered.

    `answer` gets up to `size` different keys and must answer each.
    """

    def __init__(self, answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, size: int) -> None:
        self._answer = answer
        self._size = size
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._running: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """The answer of the next batch. Raises what `answer` raises, for all of its batch."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_heard)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        # A caller that gives up does not end it: others may wait for the same answer.
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
    """Its error belongs to the callers; unread it would be logged, with what it says of the key."""
    if not future.cancelled():
        future.exception()
