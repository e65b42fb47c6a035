"""Bulk changes of labels, run in short steps: by the page that shows them, and by a task.

A change goes FINDING (accounts are looked up) -> READY (the plan is shown) -> APPLYING (confirmed) -> DONE. It is a job
(atsite.core.jobs): each step claims it, and records its work in the row in the same transaction as the members. So the
browser may be closed, and a step may be killed: the next one continues.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from atsite.core.atproto.syntax import Did, is_did
from atsite.core.copies import versions
from atsite.core.errors import AtsiteError
from atsite.core.jobs import moves, runner
from atsite.core.jobs.errors import IllegalMove, JobChanged, LeaseLost
from atsite.core.jobs.lease import claim
from atsite.core.routers import DEFAULT
from indexer.index.handles import dids_of_handles
from labels import account_lookup, membership
from labels.account_lookup import NotFound
from labels.bulk_plan import Line, Status, parse_lines, set_statuses
from labels.change_author import Via, acting
from labels.models import ActorLabel, BulkChange, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from atsite.core.jobs.lease import JobLease

State = BulkChange.State

#: Seconds of one step of a page: short enough that the progress bar moves.
STEP_SECONDS: Final = 2.0
#: Accounts looked up, or changed, between two checks of the time.
FIND_AT_ONCE: Final = 24
APPLY_AT_ONCE: Final = 20

_CONCURRENT: Final = "Another page or person worked on this change at the same time. This is its current state."


class Conflict(AtsiteError):
    """Another step or person changed the bulk change meanwhile."""


def plan(label: Label, text: str, *, giving: bool, by: str, note: str = "") -> BulkChange:
    """A new change in state FINDING, from a pasted list or CSV. Raises TooMany."""
    lines = parse_lines(text)
    if not giving:
        lines = _known_members(label, lines)
    return BulkChange.objects.create(
        label=label, giving=giving, note=note, created_by=by, lines=[line.stored() for line in lines]
    )


def plan_for_dids(
    label: Label,
    dids: Sequence[Did],
    *,
    giving: bool,
    by: str,
    note: str = "",
    handles: Mapping[str, str] | None = None,
) -> BulkChange:
    """A new change of known actors, such as those ticked in a list. `handles`: by did, as far as they are known."""
    known = handles or {}
    found = [
        Line(number, did, identifier=did, did=did, handle=known.get(did, "")) for number, did in enumerate(dids, 1)
    ]
    return BulkChange.objects.create(
        label=label, giving=giving, note=note, created_by=by, lines=[line.stored() for line in found]
    )


def undo(change: BulkChange, *, by: str) -> BulkChange:
    """A new change that reverses `change` for the actors it changed, to be applied at once. Raises Conflict."""
    if change.state != State.DONE or hasattr(change, "undone_by"):
        raise Conflict("You can undo only a finished change that was not undone before.")
    touched = [replace(line, changed=None) for line in lines(change) if line.changed]
    return BulkChange.objects.create(
        label=change.label,
        giving=not change.giving,
        note=change.note,
        created_by=by,
        lines=[line.stored() for line in touched],
        state=State.APPLYING,
        next_at=timezone.now() + BulkChange.abandoned,
        undoes=change,
    )


def lines(change: BulkChange) -> list[Line]:
    """The lines of the change."""
    return [Line.restored(line) for line in change.lines]


def confirm(change: BulkChange) -> None:
    """Apply the plan that was shown. Raises Conflict if the change is no longer READY."""
    _move(change, State.READY, State.APPLYING)


def cancel(change: BulkChange, *, by: str) -> None:
    """Cancel the change; lines that were applied stay applied. A running step ends first. Raises Conflict."""
    try:
        moves.cancel(change, by=by)
    except IllegalMove as error:
        raise _state_conflict(change) from error
    except JobChanged as error:
        raise Conflict(_CONCURRENT) from error


def retry(change: BulkChange) -> None:
    """Continue a change that failed. Raises Conflict."""
    found = all(line.status is not Status.PENDING for line in lines(change))
    _move(change, State.FAILED, State.APPLYING if found else State.FINDING)


def retry_lookups(change: BulkChange) -> None:
    """Look up again the lines that could not be looked up. Raises Conflict."""
    fresh = [
        Line(line.number, line.text, identifier=line.identifier) if line.passing else replace(line)
        for line in lines(change)
    ]
    _move(change, State.READY, State.FINDING, lines=[line.stored() for line in fresh])


def advance(change: BulkChange, *, seconds: float = STEP_SECONDS) -> None:
    """Work on the change for about `seconds`. Raises Conflict if another step is working on it."""
    if change.state not in change.graph.claims:
        return
    lease = claim(change, early=not change.reason)  # a reason: it failed, and waits for its next try
    if lease is None:
        raise Conflict(_CONCURRENT)
    try:
        with lease:
            _step(lease, _after(seconds))
    except LeaseLost as error:
        raise Conflict(_CONCURRENT) from error


def finish_confirmed(*, seconds: float) -> None:
    """Finish confirmed changes that no page works on any more; called by the task."""
    out_of_time = _after(seconds)
    runner.run_due(BulkChange, lambda lease: _step(lease, out_of_time), budget=timedelta(seconds=seconds))


def _after(seconds: float) -> Callable[[], bool]:
    deadline = monotonic() + seconds
    return lambda: monotonic() >= deadline


def _step(lease: JobLease[BulkChange], out_of_time: Callable[[], bool]) -> None:
    (_find if lease.job.state == State.FINDING else _apply)(lease, out_of_time)


def _find(lease: JobLease[BulkChange], out_of_time: Callable[[], bool]) -> None:
    change = lease.job
    known = lines(change)
    waiting = [index for index, line in enumerate(known) if line.status is Status.PENDING and not line.did]
    while waiting:
        part, waiting = waiting[:FIND_AT_ONCE], waiting[FIND_AT_ONCE:]
        found = account_lookup.find_all([known[index].identifier for index in part])  # type: ignore[misc]  # they were read
        for index, answer in zip(part, found, strict=True):
            known[index] = _looked_up(known[index], answer)
        lease.keep_progress(lines=[line.stored() for line in known])
        if lease.cancel_asked or out_of_time():  # after the work, so that each step gets somewhere
            break
    if waiting:
        lease.release()
        return
    members_now = set(ActorLabel.objects.filter(label_id=change.label_id).values_list("did", flat=True))
    done = set_statuses(known, members_now, giving=change.giving)
    lease.move(State.READY, lines=[line.stored() for line in done])


def _looked_up(line: Line, answer: account_lookup.Actor | NotFound) -> Line:
    if isinstance(answer, NotFound):
        return replace(line, status=Status.UNRESOLVABLE, reason=answer.reason, passing=answer.retryable)
    return replace(line, did=answer.did, handle=answer.handle, reason=answer.warning)


def _apply(lease: JobLease[BulkChange], out_of_time: Callable[[], bool]) -> None:
    known = lines(lease.job)
    waiting = [index for index, line in enumerate(known) if line.status is Status.NEW and line.changed is None]
    while waiting:
        part, waiting = waiting[:APPLY_AT_ONCE], waiting[APPLY_AT_ONCE:]
        with transaction.atomic(using=DEFAULT):  # what is done can be undone, so it is noted with it or not done
            for index, changed in zip(part, _change(lease.job, [Did(known[index].did) for index in part]), strict=True):
                known[index] = replace(known[index], changed=changed)
            lease.keep_progress(lines=[line.stored() for line in known])
        if lease.cancel_asked or out_of_time():
            break
    if waiting:
        lease.release()
    else:
        lease.move(State.DONE)


def _change(change: BulkChange, dids: Sequence[Did]) -> list[bool]:
    """Add or remove the label of each did; returns whether each was changed. Call it in a transaction."""
    versions.lock()
    with acting(change.created_by, Via.UNDO if change.undoes_id else Via.BULK):
        return [
            _given(change, did)
            if change.giving
            else membership.remove(change.label_id, did, by=change.created_by).changed
            for did in dids
        ]


def _given(change: BulkChange, did: Did) -> bool:
    try:
        return membership.assign(change.label_id, did, by=change.created_by, note=change.note).changed
    except ValidationError:  # undo of a removal: no account can have the did, so it is not given the label again
        return False


def _known_members(label: Label, read: Sequence[Line]) -> list[Line]:
    """Set the dids of members from their handles in the index: a deleted account can then still be removed."""
    handles = {
        line.identifier for line in read if line.status is Status.PENDING and not line.identifier.startswith("did:")
    }
    known: dict[str, str] = dict(dids_of_handles(handles))
    members_now = set(
        ActorLabel.objects.filter(label_id=label.name, did__in=known.values()).values_list("did", flat=True)
    )
    known = {handle: did for handle, did in known.items() if did in members_now}
    found = []
    for line in read:
        did = line.identifier if is_did(line.identifier) else known.get(line.identifier, "")
        handle = "" if did == line.identifier else line.identifier
        found.append(replace(line, did=did, handle=handle) if did else line)
    return found


def _move(change: BulkChange, before: str, after: State, **values: Any) -> None:
    if change.state != before:
        raise _state_conflict(change)
    try:
        moves.move(change, after, **values)
    except JobChanged as error:
        raise Conflict(_CONCURRENT) from error


def _state_conflict(change: BulkChange) -> Conflict:
    return Conflict(f"This change is no longer in the state you saw: it is now {change.get_state_display()}.")
