"""A list of the network as a bulk change of a label: planned here, then shown, confirmed and applied like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from atsite.core.clickhouse.errors import ClickHouseError
from indexer.index.handles import names_of
from indexer.index.pasted_identifiers import shown
from labels import bulk_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.atproto.syntax import Did
    from labels.models import BulkChange, Label
    from labels.network_lists import ListPage

log = structlog.get_logger(__name__)


def plan(label: Label, found: ListPage, *, by: str, note: str = "") -> BulkChange:
    """A new change that adds the members of the list; without `note`, each member's note names the list."""
    dids = [member.did for member in found.members]
    text = note or f"from the list {_named(found)}"
    return bulk_changes.plan_for_dids(label, dids, giving=True, by=by, note=text, handles=_handles(dids))


def sentence(found: ListPage) -> str:
    """What the history of the label says of the plan."""
    number = len(found.members)
    return f"Read the list {_named(found)} to import it: {number:,} member{'' if number == 1 else 's'}."


def _named(found: ListPage) -> str:
    return f"“{shown(found.name)}” ({found.uri})" if found.name else str(found.uri)


def _handles(dids: Sequence[Did]) -> dict[str, str]:
    """Without the store, the plan shows dids alone."""
    try:
        return {did: name.handle for did, name in names_of(dids).items()}
    except ClickHouseError as error:
        log.warning("lists.no_names", error=type(error).__name__)
        return {}
