"""How much one page may hold, everywhere: the parameter `limit`. Pure."""

from __future__ import annotations

from typing import Final

#: Posts of a feed (lexicon app.bsky.feed.getFeedSkeleton).
FEED_DEFAULT: Final = 50
FEED_MAX: Final = 100
#: Posts found (lexicon app.bsky.unspecced.searchPostsSkeleton).
SEARCH_DEFAULT: Final = 25
SEARCH_MAX: Final = 100
#: Members of a label or of a feed.
MEMBERS_DEFAULT: Final = 100
MEMBERS_MAX: Final = 1000
