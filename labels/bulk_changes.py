"""Bulk changes carried out in short steps, each as far as its time goes: by the page that shows them, and by a task.

A change goes FINDING (who are they?) -> READY (the plan is shown) -> APPLYING (confirmed) -> DONE. It is a job
(atsite.core.jobs): each step claims it, and keeps in the row what it did, in the transaction that does it to members.
So the browser may be closed, and a step may die: the next one goes on.
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
from atsite.core.errors import AtsiteError
from atsite.core.jobs import moves, runner
from atsite.core.jobs.errors import IllegalMove, JobChanged, LeaseLost
from atsite.core.jobs.lease import claim
from atsite.core.published import versions
from atsite.core.routers import DEFAULT
from indexer.index.handles import dids_of_handles
from labels import lookup, membership
from labels.bulk_plan import Line, Status, judge, lines_of
from labels.change_author import Via, acting
from labels.lookup import Unfound
from labels.models import ActorLabel, BulkChange, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from atsite.core.jobs.lease import JobLease

State = BulkChange.State

#: Seconds that one step of a page may take: the reader sees the bar move.
STEP_SECONDS: Final = 2.0
#: Looked up, or changed, between two looks at the clock.
FIND_AT_ONCE: Final = 24
APPLY_AT_ONCE: Final = 20

_ELSEWHERE: Final = "This change was worked on elsewhere at the same time. This is its current state."


class Conflict(AtsiteError):
    """Another step, or someone else, changed the bulk change meanwhile."""


def plan(label: Label, text: str, *, giving: bool, by: str, note: str = "") -> BulkChange:
    """A change in state FINDING, from a pasted list or CSV. Raises TooMany."""
    lines = lines_of(text)
    if not giving:
        lines = _known_members(label, lines)
    return BulkChange.objects.create(
        label=label, giving=giving, note=note, created_by=by, lines=[line.stored() for line in lines]
    )


def plan_for(label: Label, dids: Sequence[Did], *, giving: bool, by: str) -> BulkChange:
    """A change whose actors are known: those that someone ticked in a list."""
    found = [Line(number, did, identifier=did, did=did) for number, did in enumerate(dids, 1)]
    return BulkChange.objects.create(label=label, giving=giving, created_by=by, lines=[line.stored() for line in found])


def undo(change: BulkChange, *, by: str) -> BulkChange:
    """The reverse of what `change` did to those whom it changed, to be applied at once. Raises Conflict."""
    if change.state != State.DONE or hasattr(change, "undone_by"):
        raise Conflict("Only a change that is done, and was not undone before, can be undone.")
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
    """The lines as values."""
    return [Line.restored(line) for line in change.lines]


def confirm(change: BulkChange) -> None:
    """Do what was shown, and nothing else. Raises Conflict where that is no longer what is shown."""
    _move(change, State.READY, State.APPLYING)


def cancel(change: BulkChange, *, by: str) -> None:
    """Do nothing; what was applied stays. A step that runs ends it. Raises Conflict."""
    try:
        moves.cancel(change, by=by)
    except IllegalMove as error:
        raise _moved_on(change) from error
    except JobChanged as error:
        raise Conflict(_ELSEWHERE) from error


def try_again(change: BulkChange) -> None:
    """Go on with a change that failed. Raises Conflict."""
    found = all(line.status is not Status.PENDING for line in lines(change))
    _move(change, State.FAILED, State.APPLYING if found else State.FINDING)


def look_again(change: BulkChange) -> None:
    """Look up once more whom nobody could look up. Raises Conflict."""
    fresh = [
        Line(line.number, line.text, identifier=line.identifier) if line.passing else replace(line)
        for line in lines(change)
    ]
    _move(change, State.READY, State.FINDING, lines=[line.stored() for line in fresh])


def advance(change: BulkChange, *, seconds: float = STEP_SECONDS) -> None:
    """Go on for about so long. Raises Conflict where another step works on it, or was quicker."""
    if change.state not in change.graph.claims:
        return
    lease = claim(change, early=not change.reason)  # a reason: it failed, and waits for its next try
    if lease is None:
        raise Conflict(_ELSEWHERE)
    try:
        with lease:
            _step(lease, _after(seconds))
    except LeaseLost as error:
        raise Conflict(_ELSEWHERE) from error


def go_on(*, seconds: float) -> None:
    """For the task: finish what was confirmed and is no longer worked on by a page."""
    late = _after(seconds)
    runner.run_due(BulkChange, lambda lease: _step(lease, late), budget=timedelta(seconds=seconds))


def _after(seconds: float) -> Callable[[], bool]:
    deadline = monotonic() + seconds
    return lambda: monotonic() >= deadline


def _step(lease: JobLease[BulkChange], late: Callable[[], bool]) -> None:
    (_find if lease.job.state == State.FINDING else _apply)(lease, late)


def _find(lease: JobLease[BulkChange], late: Callable[[], bool]) -> None:
    change = lease.job
    known = lines(change)
    waiting = [index for index, line in enumerate(known) if line.status is Status.PENDING and not line.did]
    while waiting:
        part, waiting = waiting[:FIND_AT_ONCE], waiting[FIND_AT_ONCE:]
        found = lookup.find_all([known[index].identifier for index in part])  # type: ignore[misc]  # they were read
        for index, answer in zip(part, found, strict=True):
            known[index] = _answered(known[index], answer)
        lease.keep_progress(lines=[line.stored() for line in known])
        if lease.cancel_asked or late():  # after the work, so that each step gets somewhere
            break
    if waiting:
        lease.release()
        return
    having = set(ActorLabel.objects.filter(label_id=change.label_id).values_list("did", flat=True))
    judged = judge(known, having, giving=change.giving)
    lease.move(State.READY, lines=[line.stored() for line in judged])


def _answered(line: Line, answer: lookup.Actor | Unfound) -> Line:
    if isinstance(answer, Unfound):
        return replace(line, status=Status.UNRESOLVABLE, reason=answer.reason, passing=answer.passing)
    return replace(line, did=answer.did, handle=answer.handle, reason=answer.doubt)


def _apply(lease: JobLease[BulkChange], late: Callable[[], bool]) -> None:
    known = lines(lease.job)
    waiting = [index for index, line in enumerate(known) if line.status is Status.NEW and line.changed is None]
    while waiting:
        part, waiting = waiting[:APPLY_AT_ONCE], waiting[APPLY_AT_ONCE:]
        with transaction.atomic(using=DEFAULT):  # what is done can be undone, so it is noted with it or not done
            for index, changed in zip(part, _change(lease.job, [Did(known[index].did) for index in part]), strict=True):
                known[index] = replace(known[index], changed=changed)
            lease.keep_progress(lines=[line.stored() for line in known])
        if lease.cancel_asked or late():
            break
    if waiting:
        lease.release()
    else:
        lease.move(State.DONE)


def _change(change: BulkChange, dids: Sequence[Did]) -> list[bool]:
    """Give or take, and whether each was changed; someone else may have been quicker. In a transaction."""
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
    """Handles of members as this site knows them: an account that has left the network can still be removed."""
    handles = {
        line.identifier for line in read if line.status is Status.PENDING and not line.identifier.startswith("did:")
    }
    known: dict[str, str] = dict(dids_of_handles(handles))
    having = set(ActorLabel.objects.filter(label_id=label.name, did__in=known.values()).values_list("did", flat=True))
    known = {handle: did for handle, did in known.items() if did in having}
    found = []
    for line in read:
        did = line.identifier if is_did(line.identifier) else known.get(line.identifier, "")
        handle = "" if did == line.identifier else line.identifier
        found.append(replace(line, did=did, handle=handle) if did else line)
    return found


def _move(change: BulkChange, before: str, after: State, **values: Any) -> None:
    if change.state != before:
        raise _moved_on(change)
    try:
        moves.move(change, after, **values)
    except JobChanged as error:
        raise Conflict(_ELSEWHERE) from error


def _moved_on(change: BulkChange) -> Conflict:
    return Conflict(f"This change is no longer where you saw it: it is {change.get_state_display()}.")
