"""How tests wait: for a condition, never for a time. A wait that ends in vain fails the test and says for what."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: How long anything may take that a machine with nothing else to do does in a second.
PATIENCE_SECONDS = 120.0
#: Between two looks.
LOOK_SECONDS = 0.01


def until(
    holds: Callable[[], object], what: str | Callable[[], object] = "", *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Return once `holds()` is true. AssertionError when it is not within `seconds`.

    The error tells `what` did not happen; without it, the source of `holds`. `what` may be a function, whose result is
    told: what there is instead.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, _in_vain(holds, what, seconds)
        time.sleep(LOOK_SECONDS)


async def until_async(
    holds: Callable[[], object | Awaitable[object]],
    what: str | Callable[[], object] = "",
    *,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """The same for a coroutine; `holds` may be a function or a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        held = holds()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, _in_vain(holds, what, seconds)
        await asyncio.sleep(LOOK_SECONDS)


def _in_vain(holds: Callable[[], object], what: str | Callable[[], object], seconds: float) -> str:
    told = what if isinstance(what, str) else what()
    return f"not in {seconds:g} s: {told or inspect.getsource(holds).strip()}"
