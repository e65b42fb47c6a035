"""ClickHouse queries about labels. Feeds join `actor_labels` in their own statements, as MEMBERS does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from indexer.index.handles import having_handle

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

# FINAL: the newest version of each pair, so that a removed one is seen as removed.
MEMBERS = "SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0 ORDER BY did"


def members(label: str) -> list[Did]:
    """All actors with `label`, for lists and feeds. Whether an actor may *read* a feed: labels.membership."""
    return door.column(MEMBERS, {"label": label}, name="labels.members")


# The accounts that ever had a label are a short list; handles of all actors have no order that a search could use.
BY_HANDLE = """
SELECT did
FROM actors
WHERE did IN (SELECT did FROM actor_labels) AND startsWith(handle, {prefix:String})
ORDER BY handle
LIMIT {limit:UInt32}
"""
#: As many as a list page could show; typing more of the handle narrows the search.
SEARCH_MAX = 500


def dids_by_handle(prefix: str) -> list[str]:
    """Accounts that have, or had, a label and whose handle begins with `prefix`. Raises ClickHouseError."""
    params = {"prefix": prefix.lower(), "limit": SEARCH_MAX}
    return having_handle(door.column(BY_HANDLE, params, name="labels.dids_by_handle"), prefix.lower())
