"""Fetches an account with its first label from its PDS (indexer.backfill): the stream tells nothing of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.backfill import work
from indexer.index.models import Backfill

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

#: What became of the last backfill, or is becoming of it, that makes another one needless.
_SUFFICIENT = (*Backfill.graph.active, Backfill.State.COMPLETED)


def request(did: Did, *, after_us: int, has_other_labels: bool) -> None:
    """Ask for a backfill of a new member, unless another label of it already had one made.

    Without a label in between nothing was missed: with WANTED_DIDS the stream is asked for all who carry one.
    """
    if has_other_labels and Backfill.objects.filter(did=did, state__in=_SUFFICIENT).exists():
        return
    work.ask(did, after_us=after_us)
