"""Public sums of all clean-ups."""

from __future__ import annotations

from time import monotonic
from typing import Final

from django.db.models import Count, Q, Sum

from atsite.core.ttl_cache import TtlCache
from search.cleanup.models import Kind, RepoCleanupJob
from search.cleanup.states import GRAPH, State
from search.cleanup.web.schemas import SumsAnswer

#: Anyone can ask, so the table is read this often at most.
SECONDS: Final = 60.0
_cache: TtlCache[str, SumsAnswer] = TtlCache(size=1, seconds=SECONDS)
_KEY: Final = "sums"


def current() -> SumsAnswer:
    """The sums, at most a minute old. Raises DatabaseError."""
    known = _cache.peek(_KEY, at=monotonic())
    if known is None:
        known = _read()
        _cache.put(_KEY, known, at=monotonic())
    return known


def _read() -> SumsAnswer:
    deletes, undos = Q(kind=Kind.DELETE), Q(kind=Kind.UNDO)
    row = RepoCleanupJob.objects.aggregate(
        cleanups=Count("pk", filter=deletes),
        active=Count("pk", filter=deletes & Q(state__in=[str(state) for state in GRAPH.active])),
        completed=Count("pk", filter=deletes & Q(state=State.COMPLETED)),
        cancelled=Count("pk", filter=deletes & Q(state=State.CANCELLED)),
        failed=Count("pk", filter=deletes & Q(state=State.FAILED)),
        undone=Count("pk", filter=undos & Q(state=State.COMPLETED)),
        # Named otherwise than the column, which an aggregate of its name would hide from the next.
        deleted=Sum("records_deleted", filter=deletes, default=0),
        created=Sum("records_deleted", filter=undos, default=0),
    )
    return SumsAnswer(records_deleted=row.pop("deleted"), records_created_again=row.pop("created"), **row)
