"""Which backfills are due, and how they went: all of it in rows, so that nothing else needs to be remembered.

1. `ask` leaves a row, in the transaction of whatever wants the backfill.
2. `claim` takes a due row for LEASE, by one conditional update: a second worker finds it taken.
3. Each page that is durable prolongs the lease and keeps the progress, again conditionally: whoever asks for the same
   did meanwhile (`ask` again, a cancelled row) thereby ends the run under way.
4. A worker that was killed is found when its lease ends; the next run goes on behind the last durable page.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog
from django.db import connections
from django.utils import timezone

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.published.errors import Undecidable
from indexer.backfill import repo
from indexer.backfill.repo import Gone, NotNow, Unusable
from indexer.backfill.rules import UnreadablePage
from indexer.backfill.run import DAYS, SOURCE, Progress, Run, insert, since_of
from indexer.index.models import Backfill
from indexer.stream import subscription
from indexer.stream.sink import GaveUp, Sink, SinkBroken, disk_is_low, sleep_until

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from atsite.core.atproto.syntax import Did

log = structlog.get_logger(__name__)

#: A page takes a second; a ClickHouse or disk that is waited for, a minute.
LEASE: Final = timedelta(minutes=5)
#: Repos read side by side by one worker: they are on different hosts, mostly.
SIDE_BY_SIDE: Final = 4
#: A task that begins no new backfill after this; the next one, a minute later, goes on.
BUDGET: Final = timedelta(seconds=50)
#: Seconds that a ClickHouse which does not take rows is waited for.
PATIENCE: Final = 60.0
#: Until the next look whether the indexer asks for the did.
FILTER_SECONDS: Final = 5.0
#: Failures that may pass are tried so often, with pauses that double; then a person is asked.
MAX_TRIES: Final = 12
PAUSE: Final = timedelta(minutes=1)
PAUSE_MAX: Final = timedelta(days=1)


class NotAskedFor(NotNow):
    """The stream is not asked for the did yet; a backfill before that would leave a hole behind it."""


class Superseded(AtsiteError):
    """The row was taken from this run: somebody asked anew, or another worker has it."""


def ask(did: Did, *, days: int = DAYS, after_us: int = 0) -> None:
    """Want a backfill of `did`, from the beginning, whatever was before. Commits with the caller's transaction."""
    now = timezone.now()
    values = {
        "days": days,
        "state": Backfill.State.QUEUED,
        "reason": "",
        "requested_at": now,
        "started_at": None,
        "finished_at": None,
        "next_at": now,
        "tries": 0,
        "after_us": after_us,
        "progress": {},
    }
    Backfill.objects.update_or_create(did=did, defaults=values)


def run_due(*, budget: timedelta = BUDGET) -> int:
    """Run what is due until nothing is, or the budget is spent. How many runs that were."""
    deadline = monotonic() + budget.total_seconds()
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="backfill") as pool:
        return sum(pool.map(lambda _: _run_until(deadline), range(SIDE_BY_SIDE)))


def run_one(did: Did) -> Backfill:
    """Run the row of `did` here and now, if it is due; the row as it is then."""
    row = Backfill.objects.get(did=did)
    if _claim(row):
        _run_claimed(row)
    return Backfill.objects.get(did=did)


def _run_until(deadline: float) -> int:
    """One thread's part. A row that failed is due later, so that this ends."""
    runs = 0
    try:
        while monotonic() < deadline and (row := _next()) is not None:
            _run_claimed(row)
            runs += 1
    finally:
        connections.close_all()  # this thread's
    return runs


def _next() -> Backfill | None:
    """Claim the row that has waited longest."""
    while (row := _due().order_by("next_at", "pk").first()) is not None:
        if _claim(row):
            return row
    return None


def _due() -> QuerySet[Backfill]:
    return Backfill.objects.filter(state__in=Backfill.DUE, next_at__lte=timezone.now())


def _claim(row: Backfill) -> bool:
    now = timezone.now()
    taken = {
        "state": Backfill.State.RUNNING,
        "started_at": row.started_at or now,
        "tries": row.tries + 1,
        "next_at": now + LEASE,
    }
    free = Backfill.objects.filter(pk=row.pk, state__in=Backfill.DUE, next_at=row.next_at, next_at__lte=now)
    if not free.update(**taken):
        return False
    for name, value in taken.items():
        setattr(row, name, value)
    return True


def _run_claimed(row: Backfill) -> None:
    try:
        if row.after_us and not subscription.is_asked_for(row.after_us):
            raise NotAskedFor("waits until the indexer asks the stream for this actor", FILTER_SECONDS)
        _run(row)
    except Superseded:
        log.info("backfill.superseded", did=row.did)
    except Gone as error:
        _end(row, Backfill.State.GONE, str(error))
    except (Unusable, UnreadablePage, SinkBroken) as error:
        _end(row, Backfill.State.FAILED, str(error))
    except NotAskedFor as error:
        soon = timezone.now() + timedelta(seconds=error.seconds)
        _conclude(row, state=Backfill.State.WAITING, reason=str(error), next_at=soon, tries=0)
    except NotNow as error:
        _later(row, str(error), timedelta(seconds=error.seconds))
    except (ClickHouseError, GaveUp, Undecidable) as error:
        _later(row, f"a store of this site does not answer: {error}"[:300], PAUSE)
    else:
        _end(row, Backfill.State.COMPLETED, "")


def _run(row: Backfill) -> None:
    give_up = monotonic() + PATIENCE
    sink = Sink(
        SOURCE,
        insert=insert,
        wait=sleep_until(lambda: give_up),
        disk=disk_is_low(config.data_dir, config.min_free_disk),
    )

    def save(progress: Progress) -> None:
        nonlocal give_up
        give_up = monotonic() + PATIENCE
        # Progress was made: failures before it count no longer.
        _update(row, progress=asdict(progress), next_at=timezone.now() + LEASE, tries=1)

    since = since_of(row.days, int(row.requested_at.timestamp() * 1_000_000))
    with repo.opened(row.did) as opened:  # type: ignore[arg-type]  # the column holds dids
        Run(opened, sink, since, save, wanted=config.wanted_collections).run(_progress(row))


def _progress(row: Backfill) -> Progress:
    stored = dict(row.progress)
    return Progress(**{**stored, "done": tuple(stored.get("done", ()))})


def _later(row: Backfill, reason: str, pause: timedelta) -> None:
    if row.tries >= MAX_TRIES:
        _end(row, Backfill.State.FAILED, f"given up after {row.tries} tries: {reason}")
        return
    pause = max(pause, min(PAUSE * 2 ** (row.tries - 1), PAUSE_MAX)) if pause >= PAUSE else pause
    _conclude(row, state=Backfill.State.WAITING, reason=reason, next_at=timezone.now() + pause)


def _end(row: Backfill, state: Backfill.State, reason: str) -> None:
    log.info("backfill.ended", did=row.did, state=str(state), reason=reason)
    _conclude(row, state=state, reason=reason, finished_at=timezone.now())


def _conclude(row: Backfill, **values: object) -> None:
    try:
        _update(row, **values)
    except Superseded:
        log.info("backfill.superseded", did=row.did)


def _update(row: Backfill, **values: object) -> None:
    """Write to the row while it is this run's. Raises Superseded."""
    mine = Backfill.objects.filter(pk=row.pk, state=Backfill.State.RUNNING, next_at=row.next_at)
    if not mine.update(**values):
        raise Superseded(f"somebody else has the backfill of {row.did}")
    for name, value in values.items():
        setattr(row, name, value)
