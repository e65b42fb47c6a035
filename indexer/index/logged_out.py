"""Which accounts ask not to be shown to callers who are not signed in: the self-label `!no-unauthenticated`.

Read from people_facts, where a look-up by did costs little (indexer/sql/tables/people_facts.sql).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.clickhouse.limits import Limits

# What a profile from before the account's floor says counts no more.
HIDDEN: Final = """
SELECT did
FROM people_facts
WHERE did IN {dids:Array(String)} AND fact IN ('hidden', 'floor')
GROUP BY did
HAVING argMaxIf(value, version, fact = 'hidden') = '1'
AND maxIf(version, fact = 'hidden') >= maxIf(version, fact = 'floor')
"""


def hidden_from_logged_out(dids: Collection[str], *, limits: Limits) -> set[str]:
    """Those of these accounts whose profile carries the label. Raises ClickHouseError."""
    if not dids:
        return set()
    params = {"dids": sorted(dids)}
    return set(door.column(HIDDEN, params, name="indexer.hidden_from_logged_out", limits=limits))
