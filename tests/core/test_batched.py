"""Questions that are asked together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from atsite.core.batched import Batched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Doubles:
    """Answers each number with its double, once the gate is open; which batches it got."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def answer(self, numbers: Sequence[int]) -> Mapping[int, int]:
        self.batches.append(list(numbers))
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {number: 2 * number for number in numbers}


async def test_while_one_batch_is_answered_the_next_one_fills() -> None:
    doubles = Doubles()
    batched = Batched(doubles.answer, size=3)
    first = asyncio.create_task(batched.ask(0))
    await doubles.begun.wait()
    others = [asyncio.create_task(batched.ask(number)) for number in (1, 2, 2, 3, 4)]
    await asyncio.sleep(0)
    doubles.gate.set()
    assert await asyncio.gather(first, *others) == [0, 2, 4, 4, 6, 8]
    assert doubles.batches == [[0], [1, 2, 3], [4]]


async def test_an_error_is_for_its_batch_alone_and_nothing_is_remembered() -> None:
    doubles = Doubles()
    doubles.gate.set()
    doubles.error = ValueError("no")
    batched = Batched(doubles.answer, size=3)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await batched.ask(1)
    doubles.error = None
    assert await batched.ask(1) == 2
    assert doubles.batches == [[1], [1], [1]]


async def test_a_caller_that_gives_up_takes_no_answer_from_the_others() -> None:
    doubles = Doubles()
    batched = Batched(doubles.answer, size=3)
    impatient, patient = asyncio.create_task(batched.ask(1)), asyncio.create_task(batched.ask(1))
    await doubles.begun.wait()
    impatient.cancel()
    doubles.gate.set()
    assert await patient == 2
    assert impatient.cancelled()
