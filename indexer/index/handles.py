"""Whose handle it is, and what actors are called, as this site knows it from the stream and from what it asked.

One statement each way, used by every page and parameter. The youngest word counts, and what was asked is an hour older
than the asking (docs/decisions/0041-age-of-a-filled-name.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.syntax import Did

#: A person waits for the page, which is of use without names, too.
LIMITS: Final = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True)


@dataclass(frozen=True, slots=True)
class Name:
    """What is known of an actor: empty where nothing is. `active` is None where no account event was seen."""

    did: str
    handle: str = ""
    display_name: str = ""
    active: int | None = None
    status: str = ""


# A filter on did reaches the key of each table below the view.
NAMES = "SELECT did, handle, display_name, active, status FROM actors WHERE did IN {dids:Array(String)}"


def names_of(dids: Collection[str]) -> dict[str, Name]:
    """The names of these actors; those of whom nothing is known are left out. Raises ClickHouseError."""
    if not dids:
        return {}
    rows = door.query(NAMES, {"dids": sorted(set(dids))}, into=Name, name="indexer.names", limits=LIMITS)
    return {row.did: row for row in rows}


@dataclass(frozen=True, slots=True)
class _Owner:
    handle: str
    did: Did


# handle_bf prunes both; of two actors who told of the same handle the younger word is right.
OWNERS = """
SELECT lower(handle) AS wanted, argMax(did, told_us)
FROM
(
    SELECT did, handle, version AS told_us FROM actor_identities FINAL WHERE lower(handle) IN {handles:Array(String)}
    UNION ALL
    SELECT did, handle, toUInt64(version - 3600000000) FROM actor_fills FINAL WHERE handle IN {handles:Array(String)}
)
GROUP BY wanted
"""


def dids_of_handles(handles: Collection[str]) -> dict[str, Did]:
    """The actor of each of these handles (lower case); a handle that no known actor has is left out.

    Raises ClickHouseError.
    """
    if not handles:
        return {}
    params = {"handles": sorted(set(handles))}
    rows = door.query(OWNERS, params, into=_Owner, name="indexer.dids_of_handles", limits=LIMITS)
    return {row.handle: row.did for row in rows}


def did_of_handle(handle: str) -> Did | None:
    """The actor whose handle this is, in lower case; None where none is known. Raises ClickHouseError."""
    return dids_of_handles([handle]).get(handle)
