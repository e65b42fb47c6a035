"""What actors are called, for pages that people look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

#: Somebody waits for the page, which is of use without names, too.
LIMITS = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True)


@dataclass(frozen=True, slots=True)
class Name:
    """The handle and display name of an actor as far as is known; both may be empty."""

    did: str
    handle: str
    display_name: str


# A filter on did reaches the key of each table below the view.
NAMES = "SELECT did, handle, display_name FROM actors WHERE did IN {dids:Array(String)}"


def names_of(dids: Collection[str]) -> dict[str, Name]:
    """The names of these actors; those of whom nothing is known are left out. Raises ClickHouseError."""
    if not dids:
        return {}
    rows = door.query(NAMES, {"dids": sorted(dids)}, into=Name, name="indexer.names", limits=LIMITS)
    return {row.did: row for row in rows}


# handle_bf prunes both; of two actors who told of the same handle the younger word is right.
DID_OF_HANDLE = """
SELECT did
FROM
(
    SELECT did, version FROM actor_identities FINAL WHERE handle = {handle:String}
    UNION ALL
    SELECT did, version FROM actor_fills FINAL WHERE handle = {handle:String}
)
ORDER BY version DESC
LIMIT 1
"""


def did_of_handle(handle: str) -> str | None:
    """The actor whose handle this is, in lower case; None where nobody told. Raises ClickHouseError."""
    found = door.column(DID_OF_HANDLE, {"handle": handle}, name="indexer.did_of_handle", limits=LIMITS)
    return found[0] if found else None
