"""How many posts one page may have (lexicon app.bsky.feed.getFeedSkeleton, parameter `limit`)."""

from __future__ import annotations

from typing import Final

LIMIT_MIN: Final = 1
LIMIT_MAX: Final = 100
LIMIT_DEFAULT: Final = 50
