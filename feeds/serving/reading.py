"""A reader reads a page: from memory where it is the same for all, else made in a thread; and it is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from feeds.ranking import metrics
from feeds.serving import page_threads
from feeds.serving.ready_pages import ReadyPages
from feeds.serving.skeleton import is_poll
from feeds.signals import page_read

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.serving.skeleton import Answer, Question

#: Caches must revalidate, so that a deleted post disappears from the page at once.
PAGE_CACHE: Final = "no-cache"
#: A personal page must not be shown to other readers.
PERSONAL_CACHE: Final = "private, no-store"


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader. `did` is None if not logged in; `counts` is False if it could not be identified, or is this site."""

    did: Did | None = field(default=None, repr=False)
    counts: bool = True


@lru_cache(maxsize=1)
def _ready_pages() -> ReadyPages:
    """Those of this process, for its event loop."""
    return ReadyPages(page_threads.make)


async def page(question: Question, reader: Reader) -> Answer:
    """The page; waits for nothing if it is in memory. Raises what feeds.serving.page_threads.make raises.

    Counts the request, unless it is a poll or the reader could not be identified.
    """
    answer = _ready_pages().at_hand(question)
    if answer is None:
        answer = await _ready_pages().page(question, reader.did)
    else:
        metrics.PAGES.labels(feed=answer.feed.definition.rkey, outcome=answer.outcome).inc()
    if reader.counts and not is_poll(question.limit, question.cursor):
        page_read.send(None, feed=answer.feed.definition.rkey, viewer=reader.did)
    return answer


def cache_of(answer: Answer) -> str:
    """Its Cache-Control."""
    return PERSONAL_CACHE if answer.feed.depends_on_viewer else PAGE_CACHE
