"""Why a post is in a feed made of a search, or is not: each part of the query and each setting, tried on that post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import is_tid, micros_of_tid
from atsite.core.clickhouse import door
from feeds.kinds import like_counts, search_query
from feeds.kinds.kind import Finding
from feeds.kinds.likes_feed import likes_in_words
from feeds.kinds.likes_ranking import HOUR, MINUTE, oldest_like
from feeds.ranking import queries, spam_guard
from indexer.index.query import conditions
from indexer.index.query.tree import And, Not, Or
from indexer.index.query.write import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from feeds.kinds.search_parameters import SearchParameters
    from feeds.ranking.feed import Definition, PostKey
    from feeds.ranking.page_data import FeedData
    from indexer.index.query.conditions import Where
    from indexer.index.query.resolved import Resolved
    from indexer.index.query.tree import Node


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the query."""

    what: str
    node: Node
    depth: int


@dataclass(frozen=True, slots=True)
class _Row:
    deleted: int
    eligible: int
    holds: list[int]


ON_POST: Final = """
SELECT deleted, eligible, [HOLDS]
FROM posts FINAL
WHERE rkey = {rkey:String} AND did = {did:String}
"""


def findings(
    definition: Definition,
    parameters: SearchParameters,
    data: FeedData,
    where: Where,
    post: PostKey,
    now: int,
    *,
    ranked: bool,
) -> list[Finding]:
    """Everything that decides about the post, the query first; [] if the post is not indexed.

    Raises FeedUnavailable, ClickHouseError.
    """
    query = search_query.resolved_parts(parameters)
    parts = [*_parts(query.query.node)]
    guards = dict(search_query.guards(parameters))
    blocked = [(word, node) for word, node in query.blocked]
    nodes = [*(part.node for part in parts), *query.languages, *(node for _, node in blocked)]
    row = _tried(query.whole, nodes, list(guards.values()), parameters.members_of, post)
    if row is None:
        return []
    holds = iter([bool(held) for held in row.holds])
    found = [Finding(part.what, next(holds), part.depth) for part in parts]
    found += [Finding(f"its languages: {write(node)}", next(holds)) for node in query.languages]
    of_blocked = [word for word, _ in blocked if next(holds)]
    if blocked:
        named = f", but it has: {', '.join(of_blocked)}" if of_blocked else ""
        found.append(Finding(f"it has none of the blocked words{named}", not of_blocked))
    found += [Finding(what, next(holds)) for what in guards]
    found += _about_time(parameters, where, post, now, ranked=ranked)
    if ranked:
        found.append(_about_likes(parameters, post, now))
    return [*found, *_about_author(definition, parameters, data, row, post)]


def _parts(node: Node, depth: int = 0) -> Iterator[_Part]:
    """The parts of a query from left to right, each before those that stand in it; of an And at the top its parts."""
    match node:
        case And(parts) if depth == 0:
            for part in parts:
                yield from _parts(part)
        case And(parts) | Or(parts):
            yield _Part("all of:" if isinstance(node, And) else "at least one of:", node, depth)
            for part in parts:
                yield from _parts(part, depth + 1)
        case Not(part) if isinstance(part, And | Or):
            yield _Part("not all of:" if isinstance(part, And) else "none of:", node, depth)
            for each in part.parts:
                yield from _parts(each, depth + 1)
        case _:
            yield _Part(write(node), node, depth)


def _tried(query: Resolved, nodes: Sequence[Node], more: Sequence[str], members_of: str, post: PostKey) -> _Row | None:
    sql, own = conditions.each_alone(nodes, query.cuts)
    holds = ", ".join(f"toUInt8({condition})" for condition in [*sql, *more])
    params = {**own, "members_of": members_of, "rkey": post.rkey, "did": post.did}
    found = door.query(
        ON_POST.replace("HOLDS", holds), params, into=_Row, name="feeds.search_on_post", limits=queries.PAGE
    )
    return found[0] if found else None


def _about_time(
    parameters: SearchParameters, where: Where, post: PostKey, now: int, *, ranked: bool
) -> Iterator[Finding]:
    if not is_tid(post.rkey):
        yield Finding("its record key tells its time", False)
        return
    posted = micros_of_tid(post.rkey)
    if ranked:
        yield Finding(f"it is at most {parameters.hours} hours old", posted >= now - parameters.hours * HOUR)
    elif where.searched_since is not None:
        since = datetime.fromtimestamp(where.searched_since / 1_000_000, UTC)
        what = (
            f"it is of {since:%Y-%m-%d %H:%M} UTC or later: no index helps with this query, so older posts are not read"
        )
        yield Finding(what, posted >= where.searched_since)
    if parameters.min_age_minutes:
        youngest = now - parameters.min_age_minutes * MINUTE
        yield Finding(f"it is at least {parameters.min_age_minutes} minutes old", posted < youngest)


def _about_likes(parameters: SearchParameters, post: PostKey, now: int) -> Finding:
    counted = like_counts.liked_exact(
        [post.rkey],
        formula="likes",
        now=now,
        likes_from=oldest_like(now, parameters.hours),
        min_likes=1,
        condition=like_counts.LISTABLE,
        limits=queries.PAGE,
    )
    likes = next((round(each.score) for each in counted if each.key == post), 0)
    return Finding(
        f"it has at least {likes_in_words(parameters.min_likes)}: {likes} now", likes >= parameters.min_likes
    )


def _about_author(
    definition: Definition, parameters: SearchParameters, data: FeedData, row: _Row, post: PostKey
) -> Iterator[Finding]:
    least = parameters.following_max
    spam = spam_guard.mass_followers([post.did], least=least, limits=queries.PAGE)
    yield Finding(f"its author follows fewer than {least} accounts", not spam)
    yield Finding("it is not deleted", not row.deleted)
    yield Finding("its record key and its createdAt are plausible", bool(row.eligible))
    if row.eligible and not row.deleted:
        yield Finding("its author's account is active and not purged", post in queries.alive([post]))
    yield Finding("neither it nor its author is blocked in this feed", bool(data.unblocked(definition, [post])))
    if definition.pinned is not None:
        yield Finding("it is not the pinned post, which stands above the feed", post != definition.pinned)
