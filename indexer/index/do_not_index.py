"""Actors that this site does not index, until an operator includes them again (docs/decisions/0030-do-not-index.md).

1. The decision is a row in `default` (RefusedActor). The indexer keeps the list of these dids and drops their records,
   whatever their version.
2. A floor in ClickHouse hides what is already indexed: feeds and search see it with their next page.
3. A purge deletes everything below the floor permanently.

Step 2 is done at once if ClickHouse answers; each minute a task does the steps that are left (`apply_pending`).
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from django.db import connections, transaction

from atsite.core.atproto.tid import int_of_micros
from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clock import us_of
from atsite.core.copies import versions
from atsite.core.copies.errors import Undecidable
from atsite.core.copies.process_copies import LocalCopy
from atsite.core.repeated_work import repeated
from atsite.core.routers import DEFAULT
from indexer.index import purge, queries, records
from indexer.index.floors import CLOCKS_AHEAD_US, DO_NOT_INDEX, FloorRow
from indexer.index.models import RefusedActor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from atsite.core.atproto.syntax import Did

log = structlog.get_logger(__name__)

#: How often the indexer reloads the list; the floor covers what it indexes meanwhile.
LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`added`: it was not excluded before. `hidden`: its floor is set; if not, the task sets it within minutes."""

    added: bool
    hidden: bool


def exclude(did: Did, *, by: str, note: str = "", now: datetime) -> Exclusion:
    """Do not index `did` from now on, and hide and purge its indexed data. Raises ValidationError, DatabaseError."""
    with transaction.atomic(using=DEFAULT):
        versions.lock()
        added = not RefusedActor.objects.filter(did=did).exists()
        if added:
            row = RefusedActor(did=did, note=note, created_by=by, created_at=now)
            row.full_clean()
            row.save()
    try:
        _set_floors([did], now)
    except ClickHouseError as error:
        log.warning("refusal.floor_later", error=type(error).__name__)
        return Exclusion(added, hidden=False)
    return Exclusion(added, hidden=True)


def include(did: Did) -> bool:
    """Index `did` again from now on. Returns whether it was excluded. Only a backfill brings purged data back.

    Raises DatabaseError.
    """
    row = RefusedActor.objects.filter(did=did).first()
    if row is not None:
        row.delete()
    return row is not None


def apply_pending(*, now: datetime) -> int:
    """Set missing floors, and purge the excluded dids that are not purged yet; returns how many were purged.

    Raises ClickHouseError, DatabaseError.
    """
    since = dict(RefusedActor.objects.values_list("did", "created_at"))
    floors = {row.did: row.floor for row in queries.floors_of(since)} if since else {}
    missing = [did for did, moment in since.items() if floors.get(did, 0) < _floor_at(moment)]
    _set_floors(missing, now)
    due = purge.unpurged_floors_of(since) if since else []
    purge.purge(due, now=now)
    return len(due)


def _set_floors(dids: Sequence[str], now: datetime) -> None:
    """Set a floor for each of `dids`, above anything that a fast clock wrote until now. Raises ClickHouseError."""
    if dids:
        rows = [FloorRow(did, _floor_at(now), DO_NOT_INDEX) for did in dids]
        door.insert("repo_floors", records.repo_floors(rows), name="indexer.refuse")


def _floor_at(moment: datetime) -> int:
    return int_of_micros(us_of(moment) + CLOCKS_AHEAD_US)


def _load() -> frozenset[str]:
    return frozenset(RefusedActor.objects.values_list("did", flat=True))


_copy = LocalCopy("refusals", _load)


def excluded_dids() -> frozenset[str]:
    """The dids that are not indexed, at most a second old. Raises Undecidable if `default` cannot be read."""
    return _copy.get()


class ExcludedDids:
    """The same for the indexer, whose stream must never wait for `default`: `dids` is the last list that was read."""

    def __init__(self) -> None:
        self.dids = excluded_dids()

    def look(self) -> None:
        """Read the list again; without `default` keep the last one."""
        with suppress(Undecidable):
            self.dids = excluded_dids()


@contextmanager
def current_exclusions() -> Iterator[ExcludedDids]:
    """The list, which a thread keeps up to date. Raises Undecidable at its start if `default` does not answer."""
    excluded = ExcludedDids()
    with repeated(
        LOOK_SECONDS,
        excluded.look,
        name="indexer-do-not-index",
        at_end=connections.close_all,
        patience=LOOK_SECONDS * 10,
    ):
        yield excluded
