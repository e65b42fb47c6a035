"""Metrics of the feeds. Label values are feeds of this site and words from this file, never a viewer's did."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

#: outcome: page, poll (clients ask for one post to see whether there is anything new: not a reading), empty,
#: invalid, pending (its ranking is being made), unavailable, error.
PAGES = Counter("feed_page_requests", "Requests for a page of a feed", ["feed", "outcome"])
#: Its counter for a feed and an outcome. Finding one by its labels takes a fifth of the time of a page that is at hand.
counted_pages = lru_cache(maxsize=4096)(PAGES.labels)
PAGE_SECONDS = Histogram("feed_page_seconds", "Time to make a page", ["feed"])
#: source: stored (a generation), pending (there is none yet), empty (no post qualifies), expired (the walk has ended).
RANKINGS = Counter("feed_rankings_read", "Where the ranking of a page came from", ["feed", "source"])
#: outcome: made, empty, failed, elsewhere (another worker made it).
COMPUTED = Counter("feed_rankings_computed", "Rankings made for want of a stored one", ["feed", "outcome"])
UNFILTERED = Counter("feed_unfiltered_pages", "Pages served without the look-up of deleted posts and inactive authors")

#: outcome: published, empty (the older one was kept), busy (another process was at it), failed.
REFRESHES = Counter("feed_refreshes", "Refreshes of a ranked feed", ["feed", "outcome"])
REFRESH_SECONDS = Histogram(
    "feed_refresh_seconds", "Time to rank a feed and store it", ["feed"], buckets=(0.1, 0.3, 1, 3, 10, 30, 100)
)
GENERATION_POSTS = Gauge("feed_generation_posts", "Posts of the newest generation", ["feed"])
#: Its age is time() - feed_generation_made_seconds.
GENERATION_MADE = Gauge("feed_generation_made_seconds", "Unix time of the newest generation", ["feed"])
#: outcome: unread (nobody reads the feed), filled, extended, compared (all of it with the index), failed.
TAILS = Counter("feed_tails_renewed", "Rounds of the tails of feeds made of a search", ["outcome"])
#: source: tail, both, index.
TAIL_READS = Counter("feed_tail_reads", "Where the posts of a page of such a feed came from", ["feed", "source"])
