"""Pages that were made a moment ago, for the readers who ask for the same.

A page that is the same for all readers is kept for READY_SECONDS, counted from the start of its making. So it adds
that much to the age of what it is made from, which is half a second (feeds.ranking.liveness,
atsite.core.copies.process_copies): a change is effective within a second. While a page is read, it is made again in the
background, and no reader waits (docs/decisions/0092-a-thin-door.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from atsite.core.atproto.syntax import Did
    from feeds.serving.skeleton import Answer, Question

READY_SECONDS: Final = 0.45
#: The age at which a page that is read is made again.
RENEW_SECONDS: Final = 0.3
#: The most pages, of some 4 KB each; the oldest are dropped first.
SIZE: Final = 2_000


@dataclass(slots=True)
class _Ready:
    answer: Answer
    began: float
    is_renewed: bool = False


@dataclass(frozen=True, slots=True)
class _Making:
    task: asyncio.Task[Answer]
    began: float


class ReadyPages:
    """For one event loop. `make` makes the page of a question for a reader."""

    def __init__(
        self,
        make: Callable[[Question, Did | None], Coroutine[Any, Any, Answer]],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        #: In the order of their making, also those that ended: they are known to be the same for all readers.
        self._pages: dict[Question, _Ready] = {}
        self._making: dict[Question, _Making] = {}

    def at_hand(self, question: Question) -> Answer | None:
        """The page, if it was made a moment ago; waits for nothing."""
        ready = self._pages.get(question)
        if ready is None:
            return None
        age = self._clock() - ready.began
        if age >= READY_SECONDS:
            return None
        if age >= RENEW_SECONDS and not ready.is_renewed:
            ready.is_renewed = True
            self._begin(question, None)
        return ready.answer

    async def page(self, question: Question, viewer: Did | None) -> Answer:
        """The page, made now; readers who ask within a moment share it if it is the same for all.

        Raises what making it raises.
        """
        making = self._making.get(question)
        if making is None or self._clock() - making.began >= READY_SECONDS:
            making = self._begin(question, viewer)
        # A reader who goes away must not cancel what others wait for.
        return await asyncio.shield(making.task)

    def _begin(self, question: Question, viewer: Did | None) -> _Making:
        task = asyncio.get_running_loop().create_task(self._make(question, viewer))
        making = _Making(task, self._clock())
        if question in self._pages:  # else it may be a page for this reader alone
            self._making[question] = making
        task.add_done_callback(lambda _: self._ended(question, making))
        return making

    def _ended(self, question: Question, making: _Making) -> None:
        if self._making.get(question) is making:
            del self._making[question]
        if making.task.cancelled() or making.task.exception() is not None:  # read, else asyncio would log it
            return
        answer = making.task.result()
        kept = self._pages.get(question)
        if kept is not None and kept.began > making.began:
            return
        self._pages.pop(question, None)
        if answer.is_for_all:
            self._pages[question] = _Ready(answer, making.began)
        if len(self._pages) > SIZE:
            del self._pages[next(iter(self._pages))]
