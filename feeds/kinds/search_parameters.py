"""Parameters of the kind search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feeds.kinds import likes_ranking
from feeds.kinds.top import HOURS_MAX
from feeds.ranking.parameters import Between, Flag, LabelName, OneOf, QueryText, Several, parameter, required

NEWEST, HOT, TOP = "newest", "hot", "top"
ORDERS: Final = {
    NEWEST: "the newest first",
    HOT: "by likes, with a score that falls with age",
    TOP: "the most liked first",
}
#: Words that one feed can leave out.
BLOCKED_MAX: Final = 200
LANGUAGES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """Parameters of a feed made of a search."""

    query: str = required(QueryText(), "Shows the posts that this search finds.")
    order: str = parameter(NEWEST, OneOf(ORDERS), "The order of the posts.")
    hours: int = parameter(
        24, Between(1, HOURS_MAX), "Maximum age of a post, in hours. Not used where the newest come first."
    )
    # Not `label`: its members are whose posts are shown, and everyone can read the feed.
    members_of: str = parameter(
        "", LabelName(optional=True), "Only posts by accounts with this label. Everyone can read the feed. Empty: all."
    )
    languages: tuple[str, ...] = parameter(
        (),
        Several(likes_ranking.LANGUAGE, "languages such as ja or pt (includes pt-BR)", LANGUAGES_MAX),
        "Only posts that declare one of these languages, such as en, pt. Empty: all.",
    )
    blocked_words: tuple[str, ...] = parameter(
        (),
        Several(r"[^,\n]{1,100}", "words or phrases of at most 100 characters", BLOCKED_MAX),
        "Leaves out posts with one of these words or phrases.",
    )
    replies: bool = parameter(False, Flag(), "Also show replies.")
    self_labelled: bool = parameter(
        False, Flag(), "Also show posts that their authors labelled, for example as nudity."
    )
    media: str = likes_ranking.media()
    min_age_minutes: int = parameter(0, Between(0, 60), "Minimum age of a post, in minutes.")
    min_likes: int = parameter(
        2, Between(1, 1_000_000), "Minimum number of likes. Not used where the newest come first."
    )
    following_max: int = likes_ranking.following_max()
    refresh_seconds: int = likes_ranking.refresh_seconds(60)
