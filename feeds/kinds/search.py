"""Search: a feed that shows what a search finds, newest first or by likes (feeds.kinds.search_parameters)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from feeds.kinds.kind import Kind
from feeds.kinds.search_newest import SearchNewest
from feeds.kinds.search_parameters import HOT, TOP, SearchParameters
from feeds.kinds.search_ranking import SearchHot, SearchTop

if TYPE_CHECKING:
    from feeds.ranking.feed import Definition, Feed
    from feeds.ranking.page_data import FeedData


def _make(definition: Definition, parameters: SearchParameters, data: FeedData) -> Feed:
    if parameters.order == HOT:
        return SearchHot(definition, parameters, data)
    if parameters.order == TOP:
        return SearchTop(definition, parameters, data)
    return SearchNewest(definition, parameters, data)


KIND: Final = Kind(
    "search",
    "The posts that a search finds, newest first or by likes. You write the query; no code is needed.",
    SearchParameters,
    _make,
    "The query finds no post that the other settings let in. To see why a post is left out, open “Why this post?”.",
)
