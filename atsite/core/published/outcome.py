"""Whether a change arrived everywhere at once, told to the person who made it.

    with watched() as outcome:
        membership.save()
    outcome.late    # sentences; empty when all went well

What is late is never lost: entries in Redis end by themselves, and the task of each minute publishes what is due.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

CACHE_LATE: Final = "Saved, but Redis does not answer: the change can take up to 30 seconds to apply everywhere."
COPY_LATE: Final = "Saved, but ClickHouse does not answer: statistics and feeds apply the change when it does."


@dataclass
class Outcome:
    """What did not arrive at once; each sentence once."""

    late: list[str] = field(default_factory=list)


_watching: ContextVar[Outcome | None] = ContextVar("atsite_publish_outcome", default=None)


@contextmanager
def watched() -> Iterator[Outcome]:
    """Collect what is late among the changes committed inside; nested ones tell the innermost."""
    outcome = Outcome()
    token = _watching.set(outcome)
    try:
        yield outcome
    finally:
        _watching.reset(token)


def tell(sentence: str) -> None:
    """A committed change is late somewhere."""
    log.warning("publish.late", what=sentence)
    outcome = _watching.get()
    if outcome is not None and sentence not in outcome.late:
        outcome.late.append(sentence)
