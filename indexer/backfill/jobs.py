"""The jobs of backfills: which are due, and their results. All state is in rows.

`ask` writes a row, in the transaction of the caller. A worker claims it (atsite.core.jobs); each durable page extends
its lease and stores the progress, so that after a kill the next run continues after that page. A new request for the
same did ends the current run.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog
from django.utils import timezone

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clock import us_of
from atsite.core.config import config
from atsite.core.copies.errors import Undecidable
from atsite.core.jobs import moves, runner
from atsite.core.jobs.lease import claim
from indexer.backfill import repo
from indexer.backfill.listing_comparison import UnreadablePage
from indexer.backfill.repo import Gone, NotNow, Unusable
from indexer.backfill.run import DAYS, SOURCE, Progress, Run, insert, since_of
from indexer.index.models import Backfill
from indexer.stream import subscription
from indexer.stream.sink import GaveUp, Sink, SinkBroken, disk_is_low, sleep_until

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from atsite.core.jobs.lease import JobLease

log = structlog.get_logger(__name__)

#: Repos that one worker reads in parallel; most are on different hosts.
SIDE_BY_SIDE: Final = 4
#: The task begins no new backfill after this; the next run, a minute later, continues.
BUDGET: Final = timedelta(seconds=50)
#: Seconds to wait for a ClickHouse that does not accept rows.
CLICKHOUSE_WAIT_SECONDS: Final = 60.0
#: The pause until the next check whether the indexer subscribes to the did.
FILTER_PAUSE: Final = timedelta(seconds=5)


def ask(did: Did, *, days: int = DAYS, after_us: int = 0) -> None:
    """Request a backfill of `did`, from the beginning. Commits with the caller's transaction."""
    now = timezone.now()
    values = {**moves.beginning(Backfill, now), "requested_at": now, "days": days, "after_us": after_us, "progress": {}}
    row, created = Backfill.objects.get_or_create(did=did, defaults=values)
    if not created:
        moves.begin_again(Backfill.objects.filter(pk=row.pk), values)


def run_due(*, budget: timedelta = BUDGET) -> int:
    """Run due backfills until none is left or the budget is spent; returns how many."""
    return runner.run_due(Backfill, _run, budget=budget, side_by_side=SIDE_BY_SIDE)


def run_one(did: Did) -> Backfill:
    """Run the backfill of `did` now, if it is due; returns its row afterwards."""
    lease = claim(Backfill.objects.get(did=did))
    if lease is not None:
        runner.run(lease, _run)
    return Backfill.objects.get(did=did)


def _run(lease: JobLease[Backfill]) -> None:
    """Raises LeaseLost."""
    state = Backfill.State
    if lease.job.after_us and not subscription.is_asked_for(lease.job.after_us):
        # A backfill before the subscription to the did would leave a gap after it.
        soon = timezone.now() + FILTER_PAUSE
        lease.release(reason="waiting until the indexer subscribes to this actor", next_at=soon)
        return
    try:
        _fetch(lease)
    except Gone as error:
        _end(lease, state.GONE, str(error))
    except (Unusable, UnreadablePage, SinkBroken) as error:
        _end(lease, state.FAILED, str(error))
    except NotNow as error:
        lease.later(str(error), timedelta(seconds=error.seconds))
    except (ClickHouseError, GaveUp, Undecidable) as error:
        lease.later(f"a store of this site does not answer: {error}"[:300])
    else:
        _end(lease, state.COMPLETED, "")


def _fetch(lease: JobLease[Backfill]) -> None:
    row = lease.job
    give_up = monotonic() + CLICKHOUSE_WAIT_SECONDS
    sink = Sink(
        SOURCE,
        insert=insert,
        wait=sleep_until(lambda: give_up),
        disk=disk_is_low(config.data_dir, config.min_free_disk),
    )

    def save(progress: Progress) -> None:
        nonlocal give_up
        give_up = monotonic() + CLICKHOUSE_WAIT_SECONDS
        lease.keep_progress(progress=asdict(progress))

    since = since_of(row.days, us_of(row.requested_at))
    with repo.opened(row.did) as opened:  # type: ignore[arg-type]  # the column holds dids
        Run(opened, sink, since, save, wanted=config.wanted_collections).run(_progress(row))


def _progress(row: Backfill) -> Progress:
    stored = dict(row.progress)
    return Progress(**{**stored, "done": tuple(stored.get("done", ()))})


def _end(lease: JobLease[Backfill], state: Backfill.State, reason: str) -> None:
    log.info("backfill.ended", did=lease.job.did, state=str(state), reason=reason)
    lease.move(state, reason=reason)
