"""Bulk changes step by step: planned, confirmed, interrupted, undone."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import F
from django.utils import timezone

from atsite.core.atproto.syntax import Did
from labels import bulk_changes, membership
from labels.admin.bulk_changes import _done
from labels.bulk_changes import Conflict
from labels.bulk_plan import Line, Status
from labels.models import ActorLabel, BulkChange, Label
from tests import builders as b
from tests.labels.people import IMPOSSIBLE, MIRA, NOBODY, NOEL, OTTO, RESOLVE, earlier

if TYPE_CHECKING:
    from tests.core.identity.network import Network

State = BulkChange.State
PASTED = f"{MIRA.handle}\n@{NOEL.handle}\n{MIRA.did}\n{NOBODY}\nnoone.example.com\nno actor\n{OTTO.did}"


def planned(label: str, text: str = PASTED, *, giving: bool = True) -> BulkChange:
    """A change as its page shows it before it is confirmed."""
    change = bulk_changes.plan(Label.objects.get(name=label), text, giving=giving, by="anna", note="choir")
    finish(change)
    assert change.state == State.READY
    return change


def finish(change: BulkChange, *, seconds: float = 30) -> None:
    for _ in range(20):
        bulk_changes.advance(change, seconds=seconds)


def many(label: str) -> BulkChange:
    """A confirmed change of sixty actors, which takes three steps."""
    dids = [Did(f"did:plc:{number:a>24}".translate(str.maketrans("0189", "bcde"))) for number in range(60)]
    change = bulk_changes.plan_for_dids(Label.objects.get(name=label), dids, giving=True, by="anna")
    bulk_changes.advance(change)
    bulk_changes.confirm(change)
    return change


def statuses(change: BulkChange) -> list[Status]:
    return [line.status for line in bulk_changes.lines(change)]


def members() -> set[str]:
    return set(ActorLabel.objects.values_list("did", flat=True))


def test_the_plan_changes_nothing_and_says_what_would_happen(label: str, network: Network) -> None:
    membership.assign(label, NOEL.did, by="someone")
    change = planned(label)
    new, already, twice = Status.NEW, Status.ALREADY, Status.DUPLICATE
    assert statuses(change) == [new, already, twice, Status.UNRESOLVABLE, Status.UNRESOLVABLE, Status.INVALID, new]
    assert members() == {NOEL.did}


def test_a_did_that_no_account_can_have_is_never_given_a_label_and_can_be_taken_off(
    label: str, network: Network
) -> None:
    change = planned(label, "\n".join(IMPOSSIBLE))
    assert set(statuses(change)) == {Status.UNRESOLVABLE}
    assert all(
        line.reason.startswith(f"{did} is ") for line, did in zip(bulk_changes.lines(change), IMPOSSIBLE, strict=True)
    )
    membership.assign(label, MIRA.did, by="someone")
    earlier(label, "did:plc:short")
    taken = planned(label, f"did:plc:short\n{MIRA.did}", giving=False)
    bulk_changes.confirm(taken)
    finish(taken)
    assert members() == set()
    back = bulk_changes.undo(taken, by="anna")
    finish(back)
    assert (back.state, members()) == (State.DONE, {MIRA.did})


def test_what_was_confirmed_is_done_and_nothing_else_and_it_names_its_author(label: str, network: Network) -> None:
    change = planned(label)
    membership.assign(label, OTTO.did, by="someone")  # meanwhile
    network.answers[f"{RESOLVE}noone.example.com"] = {"did": NOBODY}  # too late to be part of it
    bulk_changes.confirm(change)
    finish(change)
    assert change.state == State.DONE
    assert [line.changed for line in bulk_changes.lines(change)] == [True, True, None, None, None, None, False]
    assert members() == {MIRA.did, NOEL.did, OTTO.did}
    row = ActorLabel.objects.get(did=MIRA.did)
    assert (row.created_by, row.changed_by, row.changed_via, row.note) == ("anna", "anna", "bulk", "choir")
    assert ActorLabel.objects.get(did=OTTO.did).changed_by == "someone"


def test_undo_takes_back_what_was_changed_and_only_that_and_only_once(label: str, network: Network) -> None:
    membership.assign(label, OTTO.did, by="someone")
    change = planned(label)
    bulk_changes.confirm(change)
    finish(change)
    undone = bulk_changes.undo(change, by="ben")
    bulk_changes.finish_confirmed(seconds=30)
    assert members() == {MIRA.did, NOEL.did, OTTO.did}  # its page may still be open
    finish(undone)
    assert (undone.state, members()) == (State.DONE, {OTTO.did})
    row = ActorLabel.every.get(did=MIRA.did)
    assert (row.deleted, row.changed_by, row.changed_via) == (True, "ben", "undo")
    with pytest.raises(Conflict, match="not undone before"):
        bulk_changes.undo(BulkChange.objects.get(pk=change.pk), by="ben")


def test_undo_leaves_what_another_person_did_between_the_plan_and_the_change(label: str, network: Network) -> None:
    change = planned(label)
    membership.assign(label, MIRA.did, by="someone")
    bulk_changes.confirm(change)
    finish(change)
    finish(bulk_changes.undo(change, by="ben"))
    assert members() == {MIRA.did}


def test_taking_off_needs_no_network_for_dids_and_for_handles_that_the_site_knows(label: str, clickhouse: None) -> None:
    for person in (MIRA, NOEL):
        membership.assign(label, person.did, by="someone", note="before")
    b.store(b.identity(NOEL.did, NOEL.handle, at=b.ago(days=1)))
    change = planned(label, f"{MIRA.did}\n{NOEL.handle}\n{OTTO.did}", giving=False)
    assert statuses(change) == [Status.NEW, Status.NEW, Status.ALREADY]
    bulk_changes.confirm(change)
    finish(change)
    assert members() == set()
    finish(bulk_changes.undo(change, by="anna"))
    assert members() == {MIRA.did, NOEL.did}


def test_a_step_ends_with_its_time_and_the_next_goes_on_where_it_was(label: str, network: Network) -> None:
    change = many(label)
    done = []
    for _ in range(3):
        bulk_changes.advance(change, seconds=0)
        done.append(len(members()))
    assert (done, change.state) == ([20, 40, 60], State.DONE)
    assert members() == {line.did for line in bulk_changes.lines(change)}


def test_a_step_that_was_overtaken_writes_nothing_over_the_other(label: str, network: Network) -> None:
    change = planned(label)
    other = BulkChange.objects.get(pk=change.pk)
    bulk_changes.cancel(other, by="ben")
    with pytest.raises(Conflict, match="worked on this change at the same time"):
        bulk_changes.confirm(change)
    assert BulkChange.objects.get().state == State.CANCELLED
    with pytest.raises(Conflict, match="it is now cancelled"):
        bulk_changes.confirm(other)


def test_the_task_finishes_what_was_confirmed_and_leaves_alone_what_was_not(label: str, network: Network) -> None:
    waiting, confirmed = planned(label, NOEL.handle), planned(label, MIRA.handle)
    bulk_changes.confirm(confirmed)
    bulk_changes.finish_confirmed(seconds=30)
    assert members() == set()  # its page may still be open
    BulkChange.objects.filter(state=State.APPLYING).update(next_at=timezone.now() - timedelta(minutes=4))
    bulk_changes.finish_confirmed(seconds=30)
    assert members() == {MIRA.did}
    assert BulkChange.objects.get(pk=waiting.pk).state == State.READY


def test_who_could_not_be_looked_up_is_looked_up_again(label: str, network: Network) -> None:
    network.answers[f"{RESOLVE}{MIRA.handle}"] = 503
    change = planned(label, f"{MIRA.handle}\n{NOEL.handle}\nno actor")
    assert statuses(change) == [Status.UNRESOLVABLE, Status.NEW, Status.INVALID]
    network.answers[f"{RESOLVE}{MIRA.handle}"] = {"did": MIRA.did}
    bulk_changes.retry_lookups(change)
    finish(change)
    assert statuses(change) == [Status.NEW, Status.NEW, Status.INVALID]


def test_of_two_steps_at_once_one_is_told_and_does_nothing(
    label: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = planned(label)
    bulk_changes.confirm(change)
    told: list[str] = []
    assign = membership.assign

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        if not told:
            with pytest.raises(Conflict, match="worked on this change at the same time") as raised:
                bulk_changes.advance(BulkChange.objects.get(pk=change.pk))
            told.append(str(raised.value))
        return assign(*args, **kwargs)

    monkeypatch.setattr(membership, "assign", meanwhile)
    finish(change)
    assert (change.state, len(told), members()) == (State.DONE, 1, {MIRA.did, NOEL.did, OTTO.did})


def test_a_step_that_loses_the_change_midway_takes_back_what_it_could_not_note(
    label: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = many(label)
    assign = membership.assign

    def lose(*args: Any, **kwargs: Any) -> Any:
        if len(members()) == 30:
            BulkChange.objects.update(fence=F("fence") + 1)  # as a claim does, once this step's lease ended
        return assign(*args, **kwargs)

    monkeypatch.setattr(membership, "assign", lose)
    with pytest.raises(Conflict, match="worked on this change at the same time"):
        bulk_changes.advance(change, seconds=30)
    noted = [line.did for line in bulk_changes.lines(BulkChange.objects.get()) if line.changed]
    assert (len(noted), set(noted)) == (20, members())


def test_cancelling_while_a_step_runs_ends_it_after_its_part_and_keeps_what_was_done(
    label: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = many(label)

    def ask(lease: Any, late: Any) -> None:
        bulk_changes.cancel(BulkChange.objects.get(), by="ben")
        apply(lease, late)

    apply = bulk_changes._apply
    monkeypatch.setattr(bulk_changes, "_apply", ask)
    bulk_changes.advance(change, seconds=30)
    stored = BulkChange.objects.get()
    assert (stored.state, stored.reason, len(members())) == (State.CANCELLED, "cancelled by ben", 20)
    assert sum(line.changed is True for line in bulk_changes.lines(stored)) == 20


def test_a_change_that_fails_each_time_ends_with_its_reason_and_can_be_tried_again(
    label: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = many(label)
    with monkeypatch.context() as broken:
        broken.setattr(membership, "assign", lambda *args, **kwargs: 1 / 0)
        for _ in range(BulkChange.max_tries):
            BulkChange.objects.update(next_at=timezone.now() - timedelta(minutes=1))
            with pytest.raises(ZeroDivisionError):
                bulk_changes.finish_confirmed(seconds=30)
    change.refresh_from_db()
    assert (change.state, members()) == (State.FAILED, set())
    assert change.reason == "given up after 12 tries: an internal error of this site: ZeroDivisionError"
    bulk_changes.retry(change)
    finish(change)
    assert (change.state, len(members())) == (State.DONE, 60)


def test_a_page_does_not_hurry_a_change_that_waits_for_its_next_try(
    label: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = many(label)
    with monkeypatch.context() as broken:
        broken.setattr(membership, "assign", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bulk_changes.advance(change)
    assert change.reason == "an internal error of this site: ZeroDivisionError"
    with pytest.raises(Conflict):
        bulk_changes.advance(change)
    assert members() == set()


@pytest.mark.parametrize(
    ("state", "does", "may"),
    [
        *((state, "cancel", state in (State.FINDING, State.READY, State.APPLYING)) for state in State),
        *((state, "confirm", state == State.READY) for state in State),
        *((state, "retry", state == State.FAILED) for state in State),
        *((state, "retry_lookups", state == State.READY) for state in State),
    ],
)
def test_a_change_takes_only_the_moves_of_its_state(label: str, state: str, does: str, may: bool) -> None:
    change = bulk_changes.plan_for_dids(Label.objects.get(name=label), [MIRA.did], giving=True, by="anna")
    change.state = state
    change.save(update_fields=["state"])
    move = partial(getattr(bulk_changes, does), change, **({"by": "ben"} if does == "cancel" else {}))
    if may:
        move()
    else:
        with pytest.raises(Conflict):
            move()
    assert (BulkChange.objects.get().state != state) is may


@pytest.mark.parametrize("state", [State.FINDING, State.READY, State.APPLYING, State.DONE])
def test_a_page_counts_the_lines_that_are_done_in_the_stage(state: State) -> None:
    lines = [
        Line(1, "mira"),  # not looked up
        Line(2, NOEL.did, identifier=NOEL.did, did=NOEL.did),  # a did, known without asking
        Line(3, OTTO.handle, did=OTTO.did, status=Status.NEW),
        Line(4, "no actor", status=Status.INVALID),
    ]
    if state != State.FINDING:
        lines = [
            Line(1, "mira", status=Status.NEW),
            Line(2, NOEL.did, did=NOEL.did, status=Status.NEW, changed=True),
            Line(3, OTTO.handle, did=OTTO.did, status=Status.ALREADY),
            Line(4, "no actor", status=Status.INVALID),
        ]
    assert _done(BulkChange(state=state), lines) == 3  # all but the first
