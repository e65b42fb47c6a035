"""Counts followers for the order of a search of people, and finds the most followed of each popular beginning.

Both are hints, counted again each hour: which accounts a search looks at, and which come first. Whether an account is
shown, and under which name, is never decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from atsite.core.clock import SECOND_US, us_of
from atsite.core.kv.lock import single_flight
from search.people.queries import POPULAR_LETTERS, RANGE_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: The most followed accounts that are kept of one popular beginning.
POPULAR_MAX: Final = 500
LOCK_SECONDS: Final = 3_600

# The follows that this index has, or what an AppView said, whichever is more. Written where it changed by more than a
# hundredth. Larger than memory allows, the groups are sorted on disk.
COUNT: Final = """
INSERT INTO people_facts (did, fact, value, version)
SELECT did, 'followers', toString(max(counted) AS now_counted), {version:UInt64}
FROM
(
    SELECT subject_did AS did, count() AS counted, 0 AS before
    FROM follows FINAL WHERE deleted = 0 AND subject_did != '' GROUP BY subject_did
    UNION ALL
    SELECT did, followers, 0 FROM actor_counts FINAL
    UNION ALL
    SELECT did, 0, toUInt64OrZero(value) FROM people_facts FINAL WHERE fact = 'followers'
)
GROUP BY did
HAVING greatest(now_counted, max(before)) - least(now_counted, max(before)) > intDiv(max(before), 100)
SETTINGS max_bytes_before_external_group_by = 400000000
"""
# The tokens themselves stay as they are: an empty word of the lowest version never wins.
RANK: Final = """
INSERT INTO people_tokens (token, did, ranked)
SELECT token, did, bitOr(bitShiftLeft({seconds:UInt64}, 32), least(counted, 4294967295))
FROM (SELECT token, did, bitAnd(ranked, 4294967295) AS before FROM people_tokens FINAL) AS tokens
INNER JOIN
(
    SELECT did, toUInt64OrZero(value) AS counted FROM people_facts FINAL WHERE fact = 'followers'
) AS counts USING (did)
WHERE counted != before
SETTINGS join_algorithm = 'grace_hash', max_bytes_in_join = 400000000
"""


@dataclass(frozen=True, slots=True)
class _Most:
    prefix: str
    dids: list[str]
    followers: list[int]


# Only what begins with a popular beginning that is a letter shorter can be popular.
POPULAR: Final = """
SELECT substringUTF8(token, 1, {letters:UInt8}) AS prefix
FROM people_tokens
WHERE lengthUTF8(token) >= {letters:UInt8}
AND ({letters:UInt8} = 1 OR substringUTF8(token, 1, {letters:UInt8} - 1) IN {shorter:Array(String)})
GROUP BY prefix
HAVING count() > {least:UInt32}
"""
# An account may have several tokens with one beginning.
MOST: Final = """
SELECT prefix, arrayMap(each -> each.2, most), arrayMap(each -> toUInt64(-each.1), most)
FROM
(
    SELECT substringUTF8(token, 1, {letters:UInt8}) AS prefix,
        groupArraySorted(1000)((-toInt64(bitAnd(ranked, 4294967295)), did)) AS sorted,
        arraySlice(arrayDistinct(sorted), 1, {most:UInt32}) AS most
    FROM people_tokens FINAL
    WHERE substringUTF8(token, 1, {letters:UInt8}) IN {prefixes:Array(String)} AND bitAnd(ranked, 4294967295) > 0
    GROUP BY prefix
)
"""


def rank_people(*, now: datetime) -> int:
    """Count followers, and renew what is popular; returns how many beginnings are. One process at a time.

    Raises ClickHouseError.
    """
    with single_flight("search.rank_people", LOCK_SECONDS) as mine:
        if not mine:
            return 0
        now_us = us_of(now)
        door.execute(COUNT, {"version": now_us << 10}, name="search.count_followers", limits=TASK)
        door.execute(RANK, {"seconds": now_us // SECOND_US}, name="search.rank_people", limits=TASK)
        found, popular = 0, list[str]()
        for letters in range(1, POPULAR_LETTERS + 1):
            popular = _renew(letters, popular, now)
            found += len(popular)
            if not popular:
                break
        return found


def _renew(letters: int, shorter: Sequence[str], now: datetime) -> list[str]:
    """Find the popular beginnings of so many letters, and store the most followed of each; returns the beginnings."""
    params = {"letters": letters, "shorter": list(shorter), "least": RANGE_MAX}
    prefixes = door.column(POPULAR, params, name="search.popular_beginnings", limits=TASK)
    if not prefixes:
        return []
    params = {"letters": letters, "prefixes": prefixes, "most": POPULAR_MAX}
    rows = door.query(MOST, params, into=_Most, name="search.most_followed", limits=TASK)
    columns = door.columns_of(_Most, rows) | {"computed_at": [now.replace(microsecond=0)] * len(rows)}
    door.insert("people_popular", columns, name="search.people_popular")
    return prefixes
