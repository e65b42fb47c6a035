"""Request coalescing: callers who ask the same at the same time share one answer, never older than their own would be.

While a call runs, callers with the same key wait for it to end; then one more call runs for all of them. So a call
always begins after the last of its callers asked: nothing is cached, and a change made before a caller asked is in the
answer. A single caller never waits.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")


@dataclass(slots=True)
class _PendingCall(Generic[V]):
    """The call that runs, and the next one, for the callers who came after it began."""

    running: Future[V] | None = None
    next: Future[V] | None = None


class Coalescer(Generic[V]):
    """Thread-safe. A caller must not change an answer: others share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._questions: dict[Hashable, _PendingCall[V]] = {}

    def ask(self, key: Hashable, answer: Callable[[], V]) -> V:
        """The result of `answer`, called here or by another caller with the same `key`. Raises what it raises."""
        with self._lock:
            question = self._questions.setdefault(key, _PendingCall())
            mine, running = question.next is None, question.running
            future = question.next = question.next or Future()
        if mine:
            if running is not None:
                wait([running])
            self._answer(key, question, future, answer)
        return future.result()

    def _answer(self, key: Hashable, question: _PendingCall[V], future: Future[V], answer: Callable[[], V]) -> None:
        with self._lock:
            question.running, question.next = future, None
        try:
            future.set_result(answer())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                question.running = None
                if question.next is None:
                    del self._questions[key]
