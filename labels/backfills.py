"""Whoever gets a first label is fetched from its PDS (indexer.backfill), as the stream tells nothing of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did
from indexer.backfill import work
from indexer.index.models import Backfill

if TYPE_CHECKING:
    from labels.models import ActorLabel

#: What became of the last backfill, or is becoming of it, that makes another one needless.
_GOOD = (*Backfill.graph.active, Backfill.State.COMPLETED)


def want(row: ActorLabel) -> None:
    """Ask for a backfill of the new member, unless another label of it already had one made.

    Without a label in between nothing was missed: with WANTED_DIDS the stream is asked for all who carry one.
    """
    others = type(row).objects.filter(did=row.did).exclude(pk=row.pk)
    if others.exists() and Backfill.objects.filter(did=row.did, state__in=_GOOD).exists():
        return
    work.ask(Did(row.did), after_us=row.time_us)
