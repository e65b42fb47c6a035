"""Rankings by brute force: all events folded in Python, nothing clever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atsite.core.atproto.tid import CLOCK_BITS, is_tid, micros_of_tid, tid_of_micros
from atsite.core.atproto.timestamps import micros_of_datetime
from feeds.ranking.feed import PostKey
from tests.rows import Account, Floor, Record, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.kinds.hot import HotParameters

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def hot(rows: Iterable[Row], parameters: HotParameters, *, now: int) -> list[tuple[PostKey, float]]:
    """The posts and their scores, best first."""
    rows = list(rows)
    likers = _distinct(_live(rows, "app.bsky.feed.like"), first_rkey=tid_of_micros(now - 72 * HOUR))
    following = _following(_live(rows, "app.bsky.graph.follow"))
    ranked = []
    for row in _rootposts(rows):
        likes = len(likers.get(row.uri, ()))
        if (
            likes >= parameters.min_likes
            and now - parameters.window_hours * HOUR
            <= micros_of_tid(row.rkey)
            < now - parameters.min_age_minutes * MINUTE
            and len(following.get(row.did, ())) < parameters.following_max
        ):
            age_hours = (now - micros_of_tid(row.rkey)) / HOUR
            ranked.append((PostKey(row.rkey, row.did), (likes - 1) / (age_hours + 2) ** 1.8))
    return sorted(ranked, key=_order, reverse=True)


def best_ever(rows: Iterable[Row], *, min_likes: int) -> list[tuple[PostKey, float]]:
    """The posts and their likes of all time, most first."""
    rows = list(rows)
    likers = _distinct(_live(rows, "app.bsky.feed.like"), first_rkey="")
    ranked = [(PostKey(row.rkey, row.did), float(len(likers.get(row.uri, ())))) for row in _rootposts(rows)]
    return sorted((entry for entry in ranked if entry[1] >= min_likes), key=_order, reverse=True)


def _rootposts(rows: list[Row]) -> list[Record]:
    """The posts that a ranking may show: eligible, no replies, no self-labels, of those who are there."""
    inactive, floors = _inactive(rows), _floors(rows)
    return [
        row
        for row in _live(rows, "app.bsky.feed.post")
        if _is_eligible(row)
        and "reply" not in _body(row)
        and not _body(row).get("labels", {}).get("values")
        and row.did not in inactive
        and row.version >= floors.get(row.did, 0)
    ]


def _order(entry: tuple[PostKey, float]) -> tuple[float, PostKey]:
    # 12 digits: the last ones of pow() are the library's own.
    return (float(f"{entry[1]:.12g}"), entry[0])


def _body(row: Record) -> dict[str, Any]:
    assert row.record is not None
    return row.record


def _live(rows: list[Row], collection: str) -> list[Record]:
    """The last version of each record, where that is no delete."""
    last: dict[tuple[str, str], Record] = {}
    for row in rows:
        if isinstance(row, Record) and row.collection == collection:
            key = (row.did, row.rkey)
            if key not in last or row.version >= last[key].version:
                last[key] = row
    return [row for row in last.values() if row.operation != "delete"]


def _distinct(likes: list[Record], *, first_rkey: str) -> dict[str, set[str]]:
    likers: dict[str, set[str]] = {}
    for row in likes:
        if row.rkey >= first_rkey:
            likers.setdefault(_body(row)["subject"]["uri"], set()).add(row.did)
    return likers


def _following(follows: list[Record]) -> dict[str, set[str]]:
    following: dict[str, set[str]] = {}
    for row in follows:
        following.setdefault(row.did, set()).add(_body(row)["subject"])
    return following


def _inactive(rows: list[Row]) -> set[str]:
    last: dict[str, Account] = {}
    for row in rows:
        if isinstance(row, Account) and (row.did not in last or row.version >= last[row.did].version):
            last[row.did] = row
    return {did for did, row in last.items() if not row.active}


def _floors(rows: list[Row]) -> dict[str, int]:
    floors: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Floor):
            floors[row.did] = max(row.version, floors.get(row.did, 0))
    return floors


def _is_eligible(row: Record) -> bool:
    if not is_tid(row.rkey):
        return False
    posted = micros_of_tid(row.rkey)
    if posted > (row.version >> CLOCK_BITS) + 2 * MINUTE:
        return False
    return micros_of_datetime(_body(row)["createdAt"]) >= posted - 24 * HOUR
