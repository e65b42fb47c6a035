"""Whose handle it is, and what actors are called, as this site knows it from the stream and from what it asked.

One statement each way, used by every page and parameter. The youngest word about an actor counts; of two actors who are
said to have a handle the younger word is right, and the other one lost it. Handles are lower case. How old a word is:
docs/decisions/0041-age-of-a-filled-name.md and docs/decisions/0053-handles.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from atsite.core.atproto.syntax import Did

#: A person waits for the page, which is of use without names, too.
LIMITS: Final = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True)


#: What to say of an actor who has no handle because it could not be verified.
UNVERIFIED: Final = "this account's handle could not be verified"


@dataclass(frozen=True, slots=True)
class Name:
    """What is known of an actor: empty where nothing is. `active` is None where no account event was seen.

    `unverified`: there is no handle because the network says that it could not be verified.
    """

    did: str
    handle: str = ""
    display_name: str = ""
    active: int | None = None
    status: str = ""
    unverified: int = 0


# A filter on did reaches the key of each table below the view. Who said last that a handle is theirs is found by key.
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


def names_of(dids: Collection[str]) -> dict[str, Name]:
    """The names of these actors; those of whom nothing is known are left out. Raises ClickHouseError."""
    if not dids:
        return {}
    rows = door.query(NAMES, {"dids": sorted(set(dids))}, into=Name, name="indexer.names", limits=LIMITS)
    return {row.did: row for row in rows}


def having_handle(dids: Sequence[str], prefix: str) -> list[str]:
    """Those of `dids`, in their order, whose handle begins with `prefix` now. Raises ClickHouseError."""
    known = names_of(dids)
    return [did for did in dids if did in known and known[did].handle.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class _Owner:
    handle: str
    did: Did


# Who said last that the handle is theirs, if they have not said another since.
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
