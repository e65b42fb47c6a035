"""The guard against spam in rankings: accounts that follow masses of others, most of them to be followed back.

How many are too many is a parameter of each feed: `following_max` in feeds.kinds.likes_ranking, which leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.ttl_cache import TtlCache

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


#: How long, and of how many, a process remembers whom it looked up: followed accounts grow slowly.
REMEMBERED_SECONDS: Final = 600
REMEMBERED: Final = 50_000


@dataclass(frozen=True)
class RememberedFollowers:
    """`mass_followers`, remembered. Thread-safe."""

    _known: TtlCache[tuple[str, int], bool] = field(
        default_factory=lambda: TtlCache(size=REMEMBERED, seconds=REMEMBERED_SECONDS)
    )

    def among(self, dids: Collection[str], *, least: int, limits: Limits = door.TASK) -> set[str]:
        """As `mass_followers`."""
        known = {did: self._known.peek((did, least)) for did in dids}
        unknown = [did for did, is_one in known.items() if is_one is None]
        found = mass_followers(unknown, least=least, limits=limits) if unknown else set()
        for did in unknown:
            self._known.put((did, least), did in found)
        return found | {did for did, is_one in known.items() if is_one}
