"""The actors to fetch: those that the site needs, the most needed first, if they are due."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import redis
import structlog
from django.db import DatabaseError

from atsite.core import kv
from atsite.core.clock import now_us
from atsite.core.errors import AtsiteError
from indexer.fill import queries
from indexer.index.models import RefusedActor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from atsite.core.atproto.syntax import Did
    from indexer.index.needed_actors import DidProvider

log = structlog.get_logger(__name__)

#: Dids looked up at once.
CHUNK: Final = 500
#: More than a task can fetch.
RECENT_MAX: Final = 10_000
#: The pause after a PDS did not answer, in seconds.
FAILED_SECONDS: Final = 3600


def recent_posters() -> Iterable[Did]:
    """The dids that posted within the last 24 hours, the latest first."""
    return queries.recent_posters(now=now_us(), limit=RECENT_MAX)


def due(wanted: Iterable[DidProvider], *, now: int) -> Iterator[Did]:
    """The dids to fetch at `now` (unix microseconds), each once.

    A provider that fails now (its store is unavailable) is logged and skipped.
    """
    seen: set[Did] = set()
    for source in wanted:
        try:
            rest = iter(source())
            while chunk := [did for did in islice(rest, CHUNK) if did not in seen]:
                seen.update(chunk)
                yield from _due(chunk, now)
        except (AtsiteError, DatabaseError, redis.RedisError) as error:
            log.warning("fill.source_failed", source=source.__name__, error=type(error).__name__)


def _due(dids: list[Did], now: int) -> Iterator[Did]:
    left_out = queries.fresh(dids, now=now) | _excluded(dids) | _failed(dids)
    return (did for did in dids if did not in left_out)


def _excluded(dids: list[Did]) -> set[str]:
    """Those of `dids` that are not indexed. Reads the rows, because the process's copy may be a second old."""
    return set(RefusedActor.objects.filter(did__in=dids).values_list("did", flat=True))


def remember_failed(dids: Iterable[Did]) -> None:
    """Do not fetch these for a while. Without Redis they are fetched again."""
    with kv.client().pipeline(transaction=False) as pipe:
        for did in dids:
            pipe.set(_failed_key(did), b"", ex=FAILED_SECONDS)
        pipe.execute()


def _failed(dids: list[Did]) -> set[Did]:
    found = kv.client().mget([_failed_key(did) for did in dids])
    return {did for did, value in zip(dids, found, strict=True) if value is not None}


def _failed_key(did: Did) -> str:
    return f"{kv.PREFIX}fill:failed:{did}"
