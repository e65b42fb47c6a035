"""Writes the batches of a confirmed job, within the limits. What was sent without an answer, the repo tells.

Each write: the intent is stored, the call is sent, the outcome is stored. A worker that is killed in between leaves the
intent, and the next one reads the repo first (`repo_changes.look_again`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from atsite.core.pds import Delete, PdsError
from search.cleanup.engine.batch_items import at, gates_of
from search.cleanup.engine.batch_rows import keep_intent, keep_outcomes, limits, next_batch, points_of
from search.cleanup.engine.point_windows import room, time_for
from search.cleanup.engine.problems import NotNow
from search.cleanup.engine.repo_changes import look_again, prepare
from search.cleanup.engine.tokens_in_use import TokensInUse, refusal
from search.cleanup.engine.undo import creations
from search.cleanup.models import CleanupSwitch, Outcome, RefusedAccount
from search.cleanup.models.batch import BATCH_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from atsite.core.jobs.lease import JobLease
    from atsite.core.pds import Session, Write, WriteAnswer
    from atsite.core.repo import Repo
    from search.cleanup.engine.remote_repo import RemoteRepo
    from search.cleanup.models import CleanupBatch, RepoCleanupJob

#: Points of one write: https://docs.bsky.app/docs/advanced-guides/rate-limits
DELETE_POINTS: Final = 1
CREATE_POINTS: Final = 3
#: After this many refusals in a row because the repo had changed, records are deleted one by one.
SWAPS_MAX: Final = 3
#: The least pause after a 429.
PAUSE_SECONDS: Final = 60.0
#: The longest pause after writes of a batch that failed again and again.
PAUSE_MAX_SECONDS: Final = 3600.0
#: Records that are written one by one between two extensions of the lease.
_SINGLES: Final = 10


class Writing:
    """One run of a job's writes. Methods raise NotNow, SignInNeeded, CannotGoOn and LeaseLost."""

    def __init__(
        self,
        lease: JobLease[RepoCleanupJob],
        remote: RemoteRepo,
        *,
        source: Repo | None,
        has_time: Callable[[], bool],
    ) -> None:
        """`source`: the backup, of an undo."""
        self._lease = lease
        self._job = lease.job
        self._remote = remote
        self._source = source
        self._has_time = has_time
        self._tokens = TokensInUse(lease.job, remote)
        self._points = CREATE_POINTS if lease.job.is_undo else DELETE_POINTS

    def run(self) -> bool:
        """Write until all is written (True), or until the lease was ended to wait (False)."""
        self._tokens.current(self._lease.clock())
        if not self._job.commit:
            prepare(self._lease, self._remote)
        else:  # its owner may have written since; a refused batch would cost its points
            look_again(self._lease, self._remote)
        while (batch := next_batch(self._job)) is not None:
            if self._lease.cancel_asked or not self._has_time() or self._is_stopped():
                self._lease.release(next_at=self._lease.clock())
                return False
            if not self._write(batch):
                return False
        return True

    def _is_stopped(self) -> bool:
        """Whether an operator has paused all clean-ups, or refuses those of the account."""
        return CleanupSwitch.is_paused() or RefusedAccount.is_refused(self._job.did)

    def _write(self, batch: CleanupBatch) -> bool:
        """Send what the limits allow of a batch; False if the lease was ended, because they allow nothing now."""
        now = self._lease.clock()
        session = self._tokens.current(now)
        wanted = at(batch.outcome, Outcome.PLANNED)
        indexes = wanted[: self._room()]
        if not indexes:
            self._wait_for_room(len(wanted))
            return False
        if self._job.swaps_refused >= SWAPS_MAX:
            self._one_by_one(batch, indexes)
            return True
        sent, writes = self._writes(batch, indexes)
        keep_intent(self._lease, batch, sent, self._points * len(sent))
        try:
            answer = self._remote.call(lambda pds: pds.apply_writes(session, writes, swap_commit=self._swap))
        except PdsError as error:
            return self._refused(batch, sent, error)
        return self._written(batch, sent, answer)

    @property
    def _swap(self) -> str:
        """The commit that a write is made on. A creation needs none: it is refused if the key is in use."""
        return "" if self._job.is_undo else self._job.commit

    def _writes(self, batch: CleanupBatch, indexes: Sequence[int]) -> tuple[Sequence[int], Sequence[Write]]:
        """The writes of these records; of an undo only as many as fit into one call."""
        if self._source is not None:
            return creations(self._source, batch, indexes)
        return indexes, [Delete(*batch.items[index][0].split("/")) for index in indexes]

    def _written(self, batch: CleanupBatch, indexes: Sequence[int], answer: WriteAnswer) -> bool:
        """Store the success; False if the lease was ended, because the PDS's own limit is nearly used up."""
        batch.failures = 0
        done, seen = dict.fromkeys(indexes, Outcome.DONE), {}
        if answer.commit is not None and self._swap:
            seen = {"rev": answer.commit.rev, "commit": answer.commit.cid}
        keep_outcomes(self._lease, [(batch, done)], error="", swaps_refused=0, **seen)
        if answer.commit is None and self._swap:
            look_again(self._lease, self._remote)  # without the new commit the next write cannot be checked against it
        is_low = answer.limit is not None and answer.limit.remaining < self._points * BATCH_MAX
        if answer.limit is not None and is_low and self._job.remaining:
            seconds = answer.limit.reset_at - self._lease.clock().timestamp()
            self._pause("Your server's own limit is used up for now.", seconds)
            return False
        return True

    def _refused(self, batch: CleanupBatch, indexes: Sequence[int], error: PdsError) -> bool:
        """Act on an answer that is not a success; False if the lease was ended."""
        nothing_written = dict.fromkeys(indexes, Outcome.PLANNED)
        if error.name == "InvalidSwap":
            swaps = self._job.swaps_refused + 1
            keep_outcomes(self._lease, [(batch, nothing_written)], error=str(error), swaps_refused=swaps)
            look_again(self._lease, self._remote)
            return True
        if error.status == 429:
            keep_outcomes(self._lease, [(batch, nothing_written)], error=str(error))
            self._pause("Your server asks to wait.", error.wait)
            return False
        if error.name in ("ExpiredToken", "InvalidToken") and error.status in (400, 401):
            keep_outcomes(self._lease, [(batch, nothing_written)], error=str(error))
            self._tokens.forget_access()
            self._tokens.current(self._lease.clock())
            return True
        if (needed := refusal(error)) is not None:
            keep_outcomes(self._lease, [(batch, nothing_written)], error=str(error))
            raise needed
        if 400 <= error.status < 500:
            keep_outcomes(self._lease, [(batch, nothing_written)], error=str(error))
            self._one_by_one(batch, indexes)
            return True
        # Whether it was written is not known: the intent stays, and the repo will tell.
        batch.failures += 1
        keep_outcomes(self._lease, [(batch, {})], error=str(error))
        look_again(self._lease, self._remote, was_refused=bool(error.status))
        batch.refresh_from_db()
        if any(batch.outcome[index] != Outcome.PLANNED for index in indexes):
            return True
        pause = min(PAUSE_SECONDS * 2.0 ** (batch.failures - 1), PAUSE_MAX_SECONDS)
        raise NotNow(f"Your server does not take the writes: {error}.", max(error.wait, pause))

    def _one_by_one(self, batch: CleanupBatch, indexes: Sequence[int]) -> None:
        """Write each record in a call of its own, so that one that the PDS refuses does not hold up the others."""
        for start in range(0, len(indexes), _SINGLES):
            some = indexes[start : start + _SINGLES]
            some = some[: self._room()]
            if not some:
                return
            keep_intent(self._lease, batch, some, self._points * len(some))
            session = self._tokens.current(self._lease.clock())
            for index in some:
                if batch.outcome[index] != Outcome.SENT:
                    continue  # a gate whose post is kept
                outcome, error = self._single(batch, index, session)
                kept = [index] if outcome is Outcome.CHANGED else []
                gates = set(gates_of(kept, batch.items)) & set(at(batch.outcome, Outcome.PLANNED, Outcome.SENT))
                keep_outcomes(self._lease, [(batch, dict.fromkeys([index, *gates], outcome))], error=error)
        look_again(self._lease, self._remote)
        self._lease.keep_progress(swaps_refused=0)

    def _single(self, batch: CleanupBatch, index: int, session: Session) -> tuple[Outcome, str | None]:
        """The outcome of one record in a call of its own. Raises NotNow and SignInNeeded; its intent then stays."""
        path, cid = batch.items[index]
        collection, _, rkey = path.partition("/")
        try:
            if self._source is not None:
                _, writes = creations(self._source, batch, [index])
                self._remote.call(lambda pds: pds.apply_writes(session, writes, swap_commit=""))
            else:
                self._remote.call(lambda pds: pds.delete_record(session, collection, rkey, swap_record=cid))
        except PdsError as error:
            if error.name == "InvalidSwap":
                return Outcome.CHANGED, str(error)
            if (needed := refusal(error)) is not None:
                raise needed from error
            if 400 <= error.status < 500 and error.status != 429:
                return Outcome.REFUSED, str(error)
            raise NotNow(f"Your server does not take the writes: {error}", error.wait or PAUSE_SECONDS) from error
        return Outcome.DONE, None

    def _room(self) -> int:
        """How many records the limits allow now."""
        now = self._lease.clock()
        return room(points_of(self._job.did, now), now, limits()) // self._points

    def _wait_for_room(self, wanted: int) -> None:
        """End the lease until a whole batch may be sent again."""
        now = self._lease.clock()
        when = time_for(self._points * wanted, points_of(self._job.did, now), now, limits())
        self._lease.release(reason="The limit of writes in an hour or a day is used up.", next_at=when, stage="")

    def _pause(self, reason: str, seconds: float) -> None:
        when = self._lease.clock() + timedelta(seconds=max(seconds, PAUSE_SECONDS))
        self._lease.release(reason=reason, next_at=when, stage="")
