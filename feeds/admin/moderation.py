"""Actions of a moderator on a post or its author: block and do-not-index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError

from atsite.core.copies.outcome import watched
from indexer.index import do_not_index as exclusions
from labels import blocks
from labels.models import Block

if TYPE_CHECKING:
    from datetime import datetime

    from atsite.core.atproto.syntax import Did

EVERYWHERE: Final = ""


@dataclass(frozen=True, slots=True)
class BlockResult:
    """Whether anything changed, and messages about what is late (atsite.core.copies.outcome)."""

    changed: bool
    late: tuple[str, ...] = ()


def block(subject: str, *, feed: str, by: str, note: str = "") -> BlockResult:
    """Block a did or an at-uri in the feed with this rkey, or everywhere. Takes effect within a second.

    Raises ValidationError, DatabaseError.
    """
    if Block.objects.filter(subject=subject, feed=feed).exists():
        return BlockResult(False)
    with watched() as outcome:
        row = Block(subject=subject, feed=feed, note=note, created_by=by)
        row.full_clean(validate_constraints=False)
        try:
            row.save()
        except IntegrityError:  # blocked by another request meanwhile
            return BlockResult(False)
    blocks.invalidate()
    return BlockResult(True, tuple(outcome.late))


def do_not_index(did: Did, *, by: str, note: str = "", now: datetime) -> BlockResult:
    """Block an author everywhere, delete what is indexed of them and index nothing more (indexer.index.do_not_index).

    Raises ValidationError, DatabaseError.
    """
    with watched() as outcome:
        exclusion = exclusions.exclude(did, by=by, note=note, now=now)
    blocked = block(did, feed=EVERYWHERE, by=by, note=note or "not indexed")
    late = [*outcome.late, *blocked.late]
    if not exclusion.hidden:
        late.append("ClickHouse does not answer: what is indexed is deleted within a minute after it answers again.")
    return BlockResult(exclusion.added or blocked.changed, tuple(dict.fromkeys(late)))
