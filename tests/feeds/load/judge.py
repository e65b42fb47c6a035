"""What counts as right, judged after the run from what readers saw, what people changed, and which store was away when.

All is well (docs: architecture, stores): every answer is 200 with a right page, or the error that a wrong request gets.

| away | ranked and chosen feeds | label feeds | a private feed |
|---|---|---|---|
| Redis | 200: the process's own copy of the ranking | 200 | decided from `default`: 200; 502 UpstreamFailure where a reader's key was to be asked for and the directory's budget is spent |
| ClickHouse | 200, and deleted posts stay in | 503 NotEnoughResources | the same for members; others get their instructions |

Never: another 5xx, a page above its limit, an empty page before the end, a post twice in a walk, a private post for
someone who did not carry the label at any moment of the request. A store counts as away until every feed was seen to
answer as if nothing had been.
"""  # noqa: E501 - the table

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from atsite.core.copies.redis_cache import LIFE_SECONDS

#: How long a deleted post may still be shown (docs/invariants.md).
HELD_SECONDS: Final = 1.0
#: Errors that may be answered while a store is away, by feed.
REDIS_AWAY: Final = {"a-mpls": {(502, "UpstreamFailure")}}
CLICKHOUSE_AWAY: Final = {feed: {(503, "NotEnoughResources")} for feed in ("a-mpls", "cl-tqsp")}


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: who asked for what when, and the posts, or the error's name."""

    feed: str
    began: float
    ended: float
    status: int
    posts: tuple[str, ...] = ()
    error: str = ""
    viewer: str | None = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk that came to its end: all posts in order."""

    feed: str
    began: float
    ended: float
    posts: tuple[str, ...]


@dataclass(slots=True)
class Away:
    """A store was away from `began` to `ended`."""

    store: str
    began: float
    ended: float = inf


@dataclass
class Record:
    """Everything that was seen."""

    answers: list[Seen] = field(default_factory=list)
    walks: list[Walk] = field(default_factory=list)
    #: Sentences about answers that are wrong whatever else happened.
    wrong: list[str] = field(default_factory=list)
    away: list[Away] = field(default_factory=list)
    #: What people told, in order.
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class World:
    """What the feeds hold."""

    hot: tuple[str, ...]
    listed: tuple[str, ...]
    private: frozenset[str]
    public: frozenset[str]
    public_lasting: frozenset[str]
    instructions: str


def judged(record: Record, world: World, carriers: set[str]) -> list[str]:
    """What was wrong; `carriers` had the private label at the beginning."""
    judge = _Judge(record, world, carriers)
    return [
        *record.wrong,
        *(problem for seen in record.answers if (problem := judge.answer(seen))),
        *(problem for walk in record.walks if (problem := judge.walk(walk))),
    ]


class _Judge:
    def __init__(self, record: Record, world: World, carriers: set[str]) -> None:
        self._record = record
        self._world = world
        self._carried = _carried(record.changes, carriers)
        self._deleting = {change["uri"]: change["began"] for change in record.changes if change["what"] == "deleting"}
        self._deleted = {change["uri"]: change["ended"] for change in record.changes if change["what"] == "deleted"}

    def _away(self, began: float, ended: float) -> set[str]:
        return {away.store for away in self._record.away if away.began <= ended and began <= away.ended}

    def answer(self, seen: Seen) -> str:
        away = self._away(seen.began, seen.ended)
        if seen.status != 200:
            allowed = {
                *(REDIS_AWAY.get(seen.feed, ()) if "Redis" in away else ()),
                *(CLICKHOUSE_AWAY.get(seen.feed, ()) if "ClickHouse" in away else ()),
            }
            return (
                "" if (seen.status, seen.error) in allowed else f"{_said(seen)} with {sorted(away) or 'nothing'} away"
            )
        if len(seen.posts) != len(set(seen.posts)):
            return f"{_said(seen)}: a post came twice"
        if seen.feed == "a-mpls":
            return self._private(seen)
        known = {"whats-hot": set(self._world.hot), "bangers": set(self._world.listed)}.get(
            seen.feed, self._world.public
        )
        if strangers := set(seen.posts) - known:
            return f"{_said(seen)}: {strangers} are not of this feed"
        gone = [post for post in seen.posts if self._deleted.get(post, inf) + HELD_SECONDS < seen.began]
        return f"{_said(seen)}: {gone} were deleted before" if gone and "ClickHouse" not in away else ""

    def _private(self, seen: Seen) -> str:
        if self._world.private >= set(seen.posts) and seen.posts:
            if not any(began <= seen.ended and seen.began <= ended for began, ended in self._may(seen.viewer)):
                return f"{_said(seen)}: private posts for someone who did not carry the label"
            # Its authors are the same all the time, and nothing of theirs is deleted.
            order = sorted(self._world.private, key=_key, reverse=True)
            start = 0 if seen.first else order.index(seen.posts[0])
            whole = list(seen.posts) == order[start : start + len(seen.posts)]
            return "" if whole else f"{_said(seen)}: not the newest ones in their order"
        if seen.posts != ((self._world.instructions,) if seen.first else ()):
            return f"{_said(seen)}: neither the feed nor its instructions: {seen.posts}"
        wrong = any(began < seen.began and seen.ended < ended for began, ended in self._must(seen.viewer))
        return f"{_said(seen)}: nothing for someone who carried the label all the time" if wrong else ""

    def _may(self, viewer: str | None) -> list[tuple[float, float]]:
        return [(span.given, span.gone) for span in self._carried.get(viewer or "", ())]

    def _must(self, viewer: str | None) -> list[tuple[float, float]]:
        return [(span.seen_given, span.going) for span in self._carried.get(viewer or "", ())]

    def walk(self, walk: Walk) -> str:
        said = f"walk of {walk.feed} with {len(walk.posts)} posts"
        twice = len(walk.posts) - len(set(walk.posts))
        if twice:
            return f"{said}: {twice} came twice"
        if walk.feed == "cl-tqsp":
            order = [_key(post) for post in walk.posts]
            if order != sorted(order, reverse=True):
                return f"{said}: not newest first"
        expected = {
            "whats-hot": self._world.hot,
            "bangers": self._world.listed,
            "cl-tqsp": self._world.public_lasting,
        }[walk.feed]
        missing = [post for post in expected if post not in walk.posts and self._deleting.get(post, inf) > walk.ended]
        if missing:
            return f"{said}: {len(missing)} are missing"
        if walk.feed == "bangers" and list(walk.posts) != [post for post in expected if post in walk.posts]:
            return f"{said}: not in the order of the list"
        return ""


@dataclass
class _Span:
    """Someone carries the label: given, seen by everybody as given; taken, seen by everybody as gone."""

    given: float
    seen_given: float
    going: float = inf
    gone: float = inf


def _carried(changes: list[dict[str, Any]], carriers: set[str]) -> dict[str, list[_Span]]:
    """Did -> when it carried the private label. A change that was late may be seen as late as cache entries live."""
    spans: dict[str, list[_Span]] = defaultdict(list)
    for did in carriers:
        spans[did].append(_Span(-inf, -inf))
    for change in changes:
        if change["what"] != "label" or change["label"] != "mpls":
            continue
        ended = change["ended"] + (LIFE_SECONDS if change["late"] else 0)
        if change["has"]:
            spans[change["did"]].append(_Span(change["began"], ended))
        else:
            spans[change["did"]][-1].going, spans[change["did"]][-1].gone = change["began"], ended
    return spans


def _key(uri: str) -> tuple[str, str]:
    did, _, rkey = uri.removeprefix("at://").partition("/app.bsky.feed.post/")
    return (rkey, did)


def _said(seen: Seen) -> str:
    return f"{seen.feed}, {seen.ended - seen.began:.2f} s: {seen.status} {seen.error}"
