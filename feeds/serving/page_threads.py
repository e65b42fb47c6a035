"""Pages made in threads: the stores' clients block. No thread waits for a ranking that is being made."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

from feeds.ranking.feed import RankingPending
from feeds.serving.registry import registry
from feeds.serving.skeleton import Answer, answer

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.serving.skeleton import Asked

#: Pages made in parallel: as many as the stores' clients allow. In their own threads: a page may take long, and other
#: threads must be free to verify readers within a second.
PAGES: Final = 16
_THREADS: Final = ThreadPoolExecutor(PAGES, thread_name_prefix="feeds-page")
#: How long a reader waits for a ranking that is being made: the AppView waits 5 s, and the page has to be made as well.
RANKING_SECONDS: Final = 3.0


async def make(asked: Asked, viewer: Did | None) -> Answer:
    """The page. Raises what feeds.serving.skeleton.answer raises: RankingPending if the ranking takes too long."""
    try:
        return await _in_thread(asked, viewer)
    except RankingPending as pending:
        await _until_made(pending)
        return await _in_thread(asked, viewer)


async def _in_thread(asked: Asked, viewer: Did | None) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, copy_context().run, _answer, asked, viewer)


def _answer(asked: Asked, viewer: Did | None) -> Answer:
    return answer(registry(), asked, viewer)


async def _until_made(pending: RankingPending) -> None:
    """Return once the ranking was made. Raises FeedUnavailable where it was not, or not in time."""
    # Not wait_for: a reader who goes away must not cancel what others wait for.
    made, _ = await asyncio.wait([asyncio.wrap_future(pending.made)], timeout=RANKING_SECONDS)
    if not made:
        raise pending
    if (failed := pending.made.result()) is not None:
        raise failed
