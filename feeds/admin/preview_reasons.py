"""Why a post stands where it does, in the numbers of its kind's formula.

A stored ranking keeps the order alone. So likes are counted now, and ages taken at the moment of the ranking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import micros_of_tid
from feeds.kinds import like_counts
from feeds.kinds.hot import Hot
from feeds.kinds.label import Label
from feeds.kinds.likes import HOUR, oldest_like
from feeds.kinds.static import Chosen, NetworkBest, ViewerBest
from feeds.kinds.top import Top
from feeds.ranking import cursor as cursors
from feeds.ranking import queries
from feeds.ranking.ranking import RankedFeed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.ranking.feed import Feed, FeedPage, FeedRequest, PostKey
    from feeds.ranking.page_data import FeedData

#: Of atsiteHotScore (indexer/sql/functions/hot_score.sql).
GRAVITY: Final = 1.8
HOURS_ADDED: Final = 2


def ranked_at(feed: Feed, data: FeedData, request: FeedRequest, page: FeedPage) -> int | None:
    """The moment of the ranking that the page was read from, unix microseconds; None where the feed is not ranked."""
    if not isinstance(feed, RankedFeed):
        return None
    for cursor in (request.cursor, page.cursor):
        match cursor:
            case cursors.Ranked(generation):
                return micros_of_tid(generation)
            case cursors.Computed(moment):
                return moment
    now = data.clock()
    current = data.generations.current(feed.definition.key, now=now)
    return now if current is None else current.made_at


def reasons(feed: Feed, posts: Sequence[PostKey], moment: int) -> dict[PostKey, str]:
    """Post -> why it stands here. Raises ClickHouseError."""
    match feed:
        case Hot():
            likes = _likes(posts, moment, feed.parameters.window_hours)
            return {post: _hot(likes.get(post, 0), _age(post, moment)) for post in posts}
        case Top():
            likes = _likes(posts, moment, feed.parameters.hours)
            return {post: f"{_counted(likes.get(post, 0))}, {_age(post, moment):.1f} hours old" for post in posts}
        case NetworkBest() | ViewerBest():
            likes = _likes(posts, moment, None)
            return {post: _counted(likes.get(post, 0)) for post in posts}
        case Chosen():
            places = {post: place for place, post in enumerate(dict.fromkeys(feed.definition.posts), 1)}
            return {post: f"place {places[post]} of your list" for post in posts if post in places}
        case Label():
            return dict.fromkeys(posts, f"its author or reposter carries {feed.parameters.label}; newest first")
    return {}


def instructed(feed: Feed) -> str:
    """Why the only post that somebody gets of a private feed is its instructions."""
    return f"the instructions post: all that those see of this feed who do not carry {feed.definition.label}"


def hot_score(likes: int, age_hours: float) -> float:
    """As atsiteHotScore computes it."""
    score: float = (likes - 1) / (age_hours + HOURS_ADDED) ** GRAVITY
    return score


def _hot(likes: int, age: float) -> str:
    return f"({_counted(likes)} − 1) ÷ ({age:.1f} hours + {HOURS_ADDED})^{GRAVITY} = {hot_score(likes, age):.3f}"


def _counted(likes: int) -> str:
    return f"{likes} like" if likes == 1 else f"{likes} likes"


def _age(post: PostKey, moment: int) -> float:
    return max(moment - micros_of_tid(post.rkey), 0) / HOUR


def _likes(posts: Sequence[PostKey], moment: int, hours: int | None) -> dict[PostKey, int]:
    """Live likes of each, counted as the rankings do (feeds.kinds.likes)."""
    if not posts:
        return {}
    rkeys = [post.rkey for post in posts]
    if hours is None:
        found = like_counts.liked_ever(rkeys, min_likes=1, limits=queries.PAGE)
    else:
        found = like_counts.liked_exact(
            rkeys,
            formula="likes",
            now=moment,
            likes_from=oldest_like(moment, hours),
            min_likes=1,
            limits=queries.PAGE,
        )
    return {ranked.key: round(ranked.score) for ranked in found}
