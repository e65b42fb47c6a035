"""One answer for all callers who ask the same at the same time, never older than what each would have got alone.

While a question is being answered, callers with the same one wait for it to end; then it is asked once more, for all of
them. So an answer always begins after the last of its callers has asked: nothing is remembered, and a change that came
before a caller asked is in the answer. A caller who is alone never waits.
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
    """The answer that is being made, and the one that those wait for who came since it was begun."""

    running: Future[V] | None = None
    next: Future[V] | None = None


class Coalescer(Generic[V]):
    """Thread-safe. A caller must not change an answer: others have the same."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._questions: dict[Hashable, _PendingCall[V]] = {}

    def ask(self, key: Hashable, answer: Callable[[], V]) -> V:
        """What `answer` says, called here or by someone else with the same `key`. Raises what it raises, for all."""
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
