"""Handles and names of actors, as this site knows them from the stream and from fills.

One statement for each direction, used by every page and parameter. The newest information about an actor counts; if two
actors are reported with the same handle, the newer report is right and the other actor lost it. Handles are lower case.
The age of a report:
docs/decisions/0041-age-of-a-filled-name.md and docs/decisions/0053-handles.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from atsite.core.atproto.syntax import Did

#: A user waits for the page, which works without names, too.
LIMITS: Final = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True)
#: For searches: whom people look for is in no log.
UNLOGGED: Final = replace(LIMITS, logged=False)


#: The text for an actor without a handle because it could not be verified.
UNVERIFIED: Final = "this account's handle could not be verified"


@dataclass(frozen=True, slots=True)
class Name:
    """The names and status of an actor; unknown values are empty. `active` is None without an account event.

    `unverified`: the handle is empty because the network could not verify one.
    """

    did: str
    handle: str = ""
    display_name: str = ""
    active: int | None = None
    status: str = ""
    unverified: int = 0


# A filter on did uses the key of each table below the view. The last actor that claimed a handle is found by key.
NAMES = """
WITH known AS
(
    SELECT did, handle, handle_us, display_name, active, status, unverified
    FROM actors
    WHERE did IN {dids:Array(String)}
)
SELECT did, if(last_did != did AND last_us > handle_us, '', handle), display_name, active, status, unverified
FROM known
LEFT ANY JOIN
(
    SELECT handle, argMax(did, (version, did)) AS last_did, max(version) AS last_us
    FROM actor_handles
    WHERE handle IN (SELECT handle FROM known)
    GROUP BY handle
) AS last USING (handle)
"""


def names_of(dids: Collection[str], *, limits: Limits = LIMITS) -> dict[str, Name]:
    """The names of these actors; unknown actors are left out. Raises ClickHouseError."""
    if not dids:
        return {}
    rows = door.query(NAMES, {"dids": sorted(set(dids))}, into=Name, name="indexer.names", limits=limits)
    return {row.did: row for row in rows}


def having_handle(dids: Sequence[str], prefix: str) -> list[str]:
    """Those of `dids`, in their order, whose handle begins with `prefix` now. Raises ClickHouseError."""
    known = names_of(dids)
    return [did for did in dids if did in known and known[did].handle.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class _Owner:
    handle: str
    did: Did


# The last actor that claimed the handle, unless it has claimed another one since.
OWNERS = """
WITH last AS
(
    SELECT handle, argMax(did, (version, did)) AS did
    FROM actor_handles
    WHERE handle IN {handles:Array(String)}
    GROUP BY handle
)
SELECT handle, did
FROM actors
WHERE did IN (SELECT did FROM last) AND (handle, did) IN (SELECT handle, did FROM last)
"""


def dids_of_handles(handles: Collection[str], *, limits: Limits = LIMITS) -> dict[str, Did]:
    """The actor of each of these handles (lower case); a handle that no known actor has is left out.

    Raises ClickHouseError.
    """
    if not handles:
        return {}
    params = {"handles": sorted(set(handles))}
    rows = door.query(OWNERS, params, into=_Owner, name="indexer.dids_of_handles", limits=limits)
    return {row.handle: row.did for row in rows}


def did_of_handle(handle: str) -> Did | None:
    """The did of the actor with this handle (lower case); None if unknown. Raises ClickHouseError."""
    return dids_of_handles([handle]).get(handle)
