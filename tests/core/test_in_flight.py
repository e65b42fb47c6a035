"""Coroutines that ask the same at the same time."""

from __future__ import annotations

import asyncio

import pytest

from atsite.core.in_flight import InFlight


class Source:
    """Answers when it is let go on."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()

    async def answer(self) -> int:
        self.asked += 1
        await self.go_on.wait()
        return self.asked


async def test_callers_of_one_key_share_an_answer_and_the_next_one_is_made_anew() -> None:
    source, flights = Source(), InFlight[str, int]()
    callers = [asyncio.create_task(flights.ask("a", source.answer)) for _ in range(3)]
    await asyncio.sleep(0)
    assert "a" in flights
    source.go_on.set()
    assert await asyncio.gather(*callers) == [1, 1, 1]
    assert "a" not in flights
    assert await flights.ask("a", source.answer) == 2
    both = await asyncio.gather(flights.ask("a", source.answer), flights.ask("b", source.answer))
    assert list(both) == [3, 4]


async def test_a_caller_that_gives_up_does_not_end_it_for_the_others() -> None:
    source, flights = Source(), InFlight[str, int]()
    first = asyncio.create_task(flights.ask("a", source.answer))
    await asyncio.sleep(0)
    second = asyncio.create_task(flights.ask("a", source.answer))
    await asyncio.sleep(0)
    first.cancel()
    source.go_on.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_all_get_the_error_and_nothing_is_kept_of_it() -> None:
    flights = InFlight[str, int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("away")

    answers = await asyncio.gather(*(flights.ask("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    assert "a" not in flights


async def test_what_cannot_begin_raises_at_once() -> None:
    flights = InFlight[str, int]()

    def refuse() -> None:
        raise LookupError("no room")

    with pytest.raises(LookupError):
        await flights.ask("a", refuse)  # type: ignore[arg-type]
    assert "a" not in flights
