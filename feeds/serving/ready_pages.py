"""Pages that were made a moment ago, for the readers who ask for the same.

A page that several readers get is kept for READY_SECONDS, counted from the start of its making. So it adds that much to
the age of what it is made from, which is half a second (feeds.ranking.liveness, atsite.core.copies.process_copies): a
change is effective within a second. While a page is read, it is made again in the background, and no reader waits
(docs/decisions/0092-a-thin-door.md).

Pages of a label's feed are kept for readers of one standing, which includes the version of the label: they end with the
next request after the label was given or taken away (docs/decisions/0093-pages-of-a-label.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from atsite.core.atproto.syntax import Did
    from feeds.serving.skeleton import Answer, Asked

READY_SECONDS: Final = 0.45
#: The age at which a page that is read is made again, so that the new one is there before this one ends: earlier if
#: making it took long.
RENEW_SECONDS: Final = 0.3
#: The most pages, of some 4 KB each; the oldest are dropped first.
SIZE: Final = 2_000


@dataclass(slots=True)
class _Ready:
    answer: Answer
    began: float
    #: The age at which it is made again.
    renew_at: float
    is_renewed: bool = False


@dataclass(frozen=True, slots=True)
class _Making:
    task: asyncio.Task[Answer]
    began: float


class ReadyPages:
    """For one event loop. `make` makes the page that is asked for, for a reader."""

    def __init__(
        self,
        make: Callable[[Asked, Did | None], Coroutine[Any, Any, Answer]],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        #: In the order of their making, also those that ended: they are known to be shared.
        self._pages: dict[Asked, _Ready] = {}
        self._making: dict[Asked, _Making] = {}

    def at_hand(self, asked: Asked, viewer: Did | None) -> Answer | None:
        """The page, if it was made a moment ago; waits for nothing."""
        ready = self._pages.get(asked)
        if ready is None:
            return None
        age = self._clock() - ready.began
        if age >= READY_SECONDS:
            return None
        if age >= ready.renew_at and not ready.is_renewed:
            ready.is_renewed = True
            self._begin(asked, viewer)
        return ready.answer

    async def page(self, asked: Asked, viewer: Did | None) -> Answer:
        """The page, made now; readers who ask for the same within a moment share it, if it is for all of them.

        Raises what making it raises.
        """
        making = self._making.get(asked)
        if making is None or self._clock() - making.began >= READY_SECONDS:
            return await asyncio.shield(self._begin(asked, viewer).task)
        # A reader who goes away must not cancel what others wait for.
        answer = await asyncio.shield(making.task)
        return answer if _is_shared(asked, answer) else await self._make(asked, viewer)

    def _begin(self, asked: Asked, viewer: Did | None) -> _Making:
        task = asyncio.get_running_loop().create_task(self._make(asked, viewer))
        making = _Making(task, self._clock())
        if asked.standing is not None or asked in self._pages:  # else it may well be a page for this reader alone
            self._making[asked] = making
        task.add_done_callback(lambda _: self._ended(asked, making))
        return making

    def _ended(self, asked: Asked, making: _Making) -> None:
        if self._making.get(asked) is making:
            del self._making[asked]
        if making.task.cancelled() or making.task.exception() is not None:  # read, else asyncio would log it
            return
        answer = making.task.result()
        kept = self._pages.get(asked)
        if kept is not None and kept.began > making.began:
            return
        self._pages.pop(asked, None)
        if _is_shared(asked, answer):
            took = self._clock() - making.began
            self._pages[asked] = _Ready(answer, making.began, min(RENEW_SECONDS, READY_SECONDS - 2 * took))
        if len(self._pages) > SIZE:
            del self._pages[next(iter(self._pages))]


def _is_shared(asked: Asked, answer: Answer) -> bool:
    """Whether all who ask for the same get this page."""
    if asked.standing is None:
        return answer.is_for_all
    return answer.standing == asked.standing
