"""A reader reads a page: from memory if others got it a moment ago, else made in a thread; and it is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from atsite.core.ttl_cache import TtlCache
from feeds.ranking import metrics
from feeds.serving import page_threads
from feeds.serving.ready_pages import ReadyPages
from feeds.serving.skeleton import Asked, is_poll
from feeds.signals import page_read
from labels.standing import Standings

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


@lru_cache(maxsize=1)
def _standings() -> Standings:
    """Those of this process, for its event loop."""
    return Standings()


@dataclass(frozen=True, slots=True)
class _Access:
    """The label on which the pages of a feed depend, and whether they also depend on the reader having it.

    It only says what to ask for: feeds.serving.private_gate notices if it has changed.
    """

    label: str
    private: bool


#: By the address that the readers used.
_access: Final[TtlCache[str, _Access]] = TtlCache(size=2_000, seconds=3600)


async def page(question: Question, reader: Reader) -> Answer:
    """The page; waits for nothing if it is in memory. Raises what feeds.serving.page_threads.make raises.

    Counts the request, unless it is a poll or the reader could not be identified.
    """
    answer = await _at_hand_or_made(question, reader.did)
    metrics.counted_pages(answer.feed.definition.rkey, answer.outcome).inc()
    if reader.counts and not is_poll(question.limit, question.cursor):
        page_read.send(None, feed=answer.feed.definition.rkey, viewer=reader.did)
    return answer


async def _at_hand_or_made(question: Question, viewer: Did | None) -> Answer:
    pages, access = _ready_pages(), _access.peek(question.feed)
    asked = Asked(question)
    if access is not None:
        asked = Asked(question, await _standings().of(access.label, viewer if access.private else None))
    answer = pages.at_hand(asked, viewer)
    if answer is not None:
        return answer
    answer = await pages.page(asked, viewer)
    definition = answer.feed.definition
    if definition.label:
        _access.put(question.feed, _Access(definition.label, definition.private))
    elif access is not None:
        _access.drop(question.feed)
    return answer


def cache_of(answer: Answer) -> str:
    """Its Cache-Control."""
    return PERSONAL_CACHE if answer.feed.depends_on_viewer else PAGE_CACHE
