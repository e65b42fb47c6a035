"""Tells a user which parts of a change will take effect later.

    with watched() as outcome:
        membership.save()
    outcome.late    # messages; empty if nothing is late

Nothing is lost: entries in Redis expire, and a task writes pending copies every minute.
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
    """The messages about what is late, each once."""

    late: list[str] = field(default_factory=list)


_watching: ContextVar[Outcome | None] = ContextVar("atsite_publish_outcome", default=None)


@contextmanager
def watched() -> Iterator[Outcome]:
    """Collect messages about late changes that are committed inside; nested blocks report to the innermost."""
    outcome = Outcome()
    token = _watching.set(outcome)
    try:
        yield outcome
    finally:
        _watching.reset(token)


def tell(sentence: str) -> None:
    """Report that a committed change is late somewhere."""
    log.warning("publish.late", what=sentence)
    outcome = _watching.get()
    if outcome is not None and sentence not in outcome.late:
        outcome.late.append(sentence)
