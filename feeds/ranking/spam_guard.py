"""The guard against spam in rankings: accounts that follow masses of others, most of them to be followed back.

How many are too many is a parameter of each feed: `following_max` in feeds.kinds.likes_ranking, which leaves them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.clickhouse.door import Limits

MASS_FOLLOWERS = """
SELECT did FROM following_counts WHERE did IN {dids:Array(String)} AND following >= {least:UInt32}
"""


def mass_followers(dids: Collection[str], *, least: int, limits: Limits = door.TASK) -> set[str]:
    """Those of `dids` that follow `least` accounts or more. Raises ClickHouseError."""
    params = {"dids": sorted(dids), "least": least}
    return set(door.column(MASS_FOLLOWERS, params, name="feeds.following_many", limits=limits))
