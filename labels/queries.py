"""What ClickHouse is asked about labels. Feeds join `actor_labels` in their own statements, as MEMBERS does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.clickhouse import door

if TYPE_CHECKING:
    from atsite.atproto.syntax import Did

# FINAL: the newest version of each pair, so that a removed one is seen as removed.
MEMBERS = "SELECT did FROM actor_labels FINAL WHERE label = {label:String} AND deleted = 0 ORDER BY did"


def members(label: str) -> list[Did]:
    """Everybody who carries `label`, for lists and feeds; who may *read* is decided by labels.access."""
    return door.column(MEMBERS, {"label": label}, name="labels.members")
