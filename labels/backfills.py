"""Requests a backfill of an account that gets its first label (indexer.backfill): the stream has no older records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.backfill import jobs
from indexer.index.models import Backfill

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

#: States of the last backfill that make another one unnecessary.
_SUFFICIENT = (*Backfill.graph.active, Backfill.State.COMPLETED)


def request(did: Did, *, after_us: int, has_other_labels: bool) -> None:
    """Request a backfill of a new member, unless it was fetched for another of its labels.

    While it has any label nothing is missed: with WANTED_DIDS the stream includes all accounts with a label.
    """
    if has_other_labels and Backfill.objects.filter(did=did, state__in=_SUFFICIENT).exists():
        return
    jobs.ask(did, after_us=after_us)
