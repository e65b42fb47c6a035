"""What ClickHouse is asked about labels. Feeds join `actor_labels` in their own statements, as MEMBERS does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from atsite.core.atproto.syntax import Did

# FINAL: the newest version of each pair, so that a removed one is seen as removed.
MEMBERS = "SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0 ORDER BY did"


def members(label: str) -> list[Did]:
    """Everybody who carries `label`, for lists and feeds; who may *read* is decided by labels.membership."""
    return door.column(MEMBERS, {"label": label}, name="labels.members")


@dataclass(frozen=True, slots=True)
class _Handle:
    did: str
    handle: str


# The filter on did reaches the tables under the view.
HANDLES = "SELECT did, handle FROM actors WHERE did IN {dids:Array(String)}"


def handles_of(dids: Sequence[Did]) -> dict[str, str]:
    """The newest handle of those of `dids` of whom one is known. Raises ClickHouseError."""
    rows = door.query(HANDLES, {"dids": list(dids)}, into=_Handle, name="labels.handles") if dids else []
    return {row.did: row.handle for row in rows if row.handle}


@dataclass(frozen=True, slots=True)
class KnownActor:
    """What the site knows of an actor; empty and None where it knows nothing."""

    did: str
    handle: str
    display_name: str
    active: int | None
    status: str


# The filter on did reaches the tables under the view.
KNOWN_ACTORS = """
SELECT did, handle, display_name, active, status FROM actors WHERE did IN {dids:Array(String)}
"""


def known_actors(dids: Collection[str]) -> dict[str, KnownActor]:
    """Names of those of `dids` of whom anything is known. Raises ClickHouseError."""
    if not dids:
        return {}
    rows = door.query(KNOWN_ACTORS, {"dids": sorted(dids)}, into=KnownActor, name="labels.known_actors")
    return {row.did: row for row in rows}


# Whoever ever carried a label is a short list; among everybody, handles have no order that a search could use.
BY_HANDLE = """
SELECT did, handle
FROM actors
WHERE did IN (SELECT did FROM actor_labels) AND startsWith(lower(handle), {prefix:String})
ORDER BY handle
LIMIT {limit:UInt32}
"""
#: As many as a list page could show; who types more of the handle finds the rest.
SEARCH_MAX = 500


def dids_by_handle(prefix: str) -> list[str]:
    """Whoever has, or had, a label and a handle that begins so. Raises ClickHouseError."""
    params = {"prefix": prefix.lower(), "limit": SEARCH_MAX}
    return [row.did for row in door.query(BY_HANDLE, params, into=_Handle, name="labels.dids_by_handle")]


MEMBERS_BY_HANDLE = """
SELECT did, lower(handle) AS known
FROM actors
WHERE did IN (SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0)
  AND lower(handle) IN {handles:Array(String)}
"""


def members_by_handle(label: str, handles: Collection[str]) -> dict[str, str]:
    """Dids of those of `handles` (lower case) who carry the label. Raises ClickHouseError."""
    params = {"label": label, "handles": sorted(handles)}
    rows = door.query(MEMBERS_BY_HANDLE, params, into=_Handle, name="labels.members_by_handle")
    return {row.handle: row.did for row in rows}
