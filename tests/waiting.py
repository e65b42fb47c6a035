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
#: Between two looks: at first, and at most. A look is work, which takes the processor from what is waited for.
LOOK_SECONDS, LOOK_SECONDS_MAX = 0.01, 0.1


def until(
    holds: Callable[[], object], what: str | Callable[[], object] = "", *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Return once `holds()` is true. AssertionError when it is not within `seconds`.

    The error tells `what` did not happen; without it, the source of `holds`. `what` may be a function, whose result is
    told: what there is instead.
    """
    began = looked = time.monotonic()
    while not holds():
        now = time.monotonic()
        assert now < began + seconds, _in_vain(holds, what, seconds)
        time.sleep(_pause(waited=now - began, look=now - looked))
        looked = time.monotonic()


async def until_async(
    holds: Callable[[], object | Awaitable[object]],
    what: str | Callable[[], object] = "",
    *,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """The same for a coroutine; `holds` may be a function or a coroutine function."""
    began = looked = time.monotonic()
    while True:
        held = holds()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        now = time.monotonic()
        assert now < began + seconds, _in_vain(holds, what, seconds)
        await asyncio.sleep(_pause(waited=now - began, look=now - looked))
        looked = time.monotonic()


def _pause(*, waited: float, look: float) -> float:
    """Seconds until the next look: a twentieth of the wait so far, and twice as long as the last look took."""
    return min(LOOK_SECONDS_MAX, max(LOOK_SECONDS, waited / 20, 2 * look))


def _in_vain(holds: Callable[[], object], what: str | Callable[[], object], seconds: float) -> str:
    told = what if isinstance(what, str) else what()
    return f"not in {seconds:g} s: {told or inspect.getsource(holds).strip()}"
