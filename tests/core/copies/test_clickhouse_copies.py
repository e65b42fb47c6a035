"""Both sides agree, whatever was away or died at whatever moment."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clock import now_us
from atsite.core.copies import clickhouse_copies, compare_copies, tasks, versions
from atsite.core.copies.errors import ChangedMeanwhile, RowByRowOnly
from atsite.core.copies.outcome import CACHE_LATE, COPY_LATE
from labels import membership
from labels.models import ActorLabel
from labels.queries import members
from tests.away import clickhouse_away, redis_away
from tests.core.copies import processes

MIRA, NOEL, OTTO = (
    Did("did:plc:miramiramiramiramiramira"),
    Did("did:plc:noelnoelnoelnoelnoelnoel"),
    Did("did:plc:ottoottoottoottoottootto"),
)

COPY = "SELECT did, note, time_us, deleted FROM actor_labels FINAL ORDER BY did"


@dataclass(frozen=True, slots=True)
class Copy:
    did: str
    note: str
    time_us: int
    deleted: int


def copy() -> list[Copy]:
    return door.query(COPY, into=Copy, name="tests.copy")


def decided() -> list[Copy]:
    return [Copy(row.did, row.note, row.time_us, int(row.deleted)) for row in ActorLabel.every.order_by("did")]


def check() -> str:
    out = StringIO()
    call_command("publish", "--check", stdout=out)
    return out.getvalue()


AGREE = "".join(
    f"{name}: rows and copies agree\n" for name in ("apikeys.ApiKey", "cleanup.RepoCleanupJob", "labels.ActorLabel")
)

both = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


def test_a_change_is_in_the_copy_when_the_call_returns(label: str) -> None:
    assert membership.assign(label, MIRA, by="admin", note="founder") == membership.Change(changed=True)
    (row,) = ActorLabel.objects.all()
    assert copy() == [Copy(MIRA, "founder", row.time_us, 0)]
    assert row.published_us == row.time_us
    assert members(label) == [MIRA]


def test_removing_marks_the_row_and_adding_again_revives_it(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    (first,) = ActorLabel.objects.all()
    assert membership.remove(label, MIRA, by="admin").changed
    assert not membership.remove(label, MIRA, by="admin").changed
    assert not ActorLabel.objects.exists()
    assert members(label) == []
    membership.assign(label, MIRA, by="someone else", note="back")
    (again,) = ActorLabel.every.all()
    assert (again.pk, again.created_by, again.deleted) == (first.pk, "someone else", False)
    assert again.time_us > first.time_us
    assert copy() == decided()
    assert [entry.deleted for entry in again.history.order_by("history_id")] == [False, True, False]


def test_a_living_row_is_not_added_twice(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    with pytest.raises(IntegrityError):
        ActorLabel.objects.create(label_id=label, did=MIRA)
    assert copy() == decided()


def test_a_row_whose_save_failed_is_as_it_was_before(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    twice = ActorLabel(label_id=label, did=MIRA)
    with pytest.raises(IntegrityError):
        twice.save()
    assert (twice.time_us, twice._state.adding) == (0, True)


def test_a_row_that_somebody_else_changed_meanwhile_is_not_saved_over(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    mine, theirs = ActorLabel.objects.get(), ActorLabel.objects.get()
    theirs.note = "theirs"
    theirs.save()
    mine.note = "mine"
    with pytest.raises(ChangedMeanwhile, match="was changed by another person"):
        mine.save()
    with pytest.raises(ChangedMeanwhile):
        mine.delete()
    assert [row.note for row in copy()] == ["theirs"]


def test_what_tells_rows_apart_never_changes(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    row = ActorLabel.objects.get()
    row.did = NOEL
    with pytest.raises(ValueError, match="did of did:plc:noelnoelnoelnoelnoelnoel as mpls cannot change"):
        row.save()
    assert [row.did for row in copy()] == [MIRA]


def test_writes_of_querysets_go_row_by_row(label: str) -> None:
    ActorLabel.objects.bulk_create([ActorLabel(label_id=label, did=did) for did in (MIRA, NOEL, OTTO)])
    assert ActorLabel.objects.filter(did__in=[MIRA, NOEL]).update(note="new") == 2
    assert ActorLabel.objects.filter(did=OTTO).delete() == (1, {"labels.ActorLabel": 1})
    assert [(row.did, row.note, row.deleted) for row in copy()] == [(MIRA, "new", 0), (NOEL, "new", 0), (OTTO, "", 1)]
    assert copy() == decided()
    assert [row.history.count() for row in ActorLabel.every.order_by("did")] == [2, 2, 2]


def test_writes_that_would_pass_versions_by_are_refused(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    rows = ActorLabel.objects.all()
    refused: list[Any] = [
        lambda: rows.update(note=F("did")),
        lambda: rows.bulk_update(list(rows), ["note"]),
        lambda: rows.bulk_create([ActorLabel(label_id=label, did=MIRA)], ignore_conflicts=True),
        lambda: rows._raw_delete("default"),
    ]
    for write in refused:
        with pytest.raises(RowByRowOnly):
            write()
    assert copy() == decided()


def test_a_change_that_is_rolled_back_is_seen_by_nobody(label: str) -> None:
    with transaction.atomic():
        membership.assign(label, MIRA, by="admin")
        assert membership.has_label(MIRA, label)
        transaction.set_rollback(True)
    assert not membership.has_label(MIRA, label)
    assert copy() == []


def test_versions_grow_also_when_the_clock_runs_back(label: str) -> None:
    with transaction.atomic():
        first = issue()
        assert [issue(first - 9), issue(first + 100), issue(1)] == [first + 1, first + 100, first + 101]
        assert issue(9, above=first + 1000) == first + 1001


def issue(micros: int | None = None, above: int = 0) -> int:
    return versions.issue(above=above, clock=now_us if micros is None else lambda: micros)


def test_with_clickhouse_away_a_change_says_so_and_the_task_publishes_it(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    with clickhouse_away():
        assert membership.assign(label, NOEL, by="admin") == membership.Change(True, (COPY_LATE,))
        assert membership.remove(label, MIRA, by="admin") == membership.Change(True, (COPY_LATE,))
    assert members(label) == [MIRA]
    tasks.copy_all_due()
    assert members(label) == [NOEL]
    assert copy() == decided()
    assert clickhouse_copies.copy_due(ActorLabel) == 0


def test_the_task_says_that_clickhouse_is_away_and_gives_no_row_up(label: str) -> None:
    with clickhouse_away():
        membership.assign(label, MIRA, by="admin")
        with pytest.raises(ClickHouseError):
            clickhouse_copies.copy_due(ActorLabel)
    assert clickhouse_copies.copy_due(ActorLabel) == 1


def test_with_redis_away_a_change_says_so(label: str) -> None:
    with redis_away():
        assert membership.assign(label, MIRA, by="admin") == membership.Change(True, (CACHE_LATE,))
    assert copy() == decided()


def test_a_change_while_a_row_is_being_published_leaves_it_due(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with clickhouse_away():
        membership.assign(label, MIRA, by="admin", note="old")
    insert = clickhouse_copies.insert

    def changed_meanwhile(*args: Any) -> None:
        monkeypatch.setattr(clickhouse_copies, "insert", insert)
        insert(*args)
        with clickhouse_away():
            ActorLabel.objects.filter(did=MIRA).update(note="new")

    monkeypatch.setattr(clickhouse_copies, "insert", changed_meanwhile)
    assert clickhouse_copies.copy_due(ActorLabel) == 1
    row = ActorLabel.objects.get()
    assert 0 < row.published_us < row.time_us
    assert clickhouse_copies.copy_due(ActorLabel) == 1
    assert copy() == decided()


def test_a_slower_publisher_takes_nothing_back(label: str) -> None:
    with clickhouse_away():
        membership.assign(label, MIRA, by="admin", note="old")
    slow = list(ActorLabel.objects.all())
    ActorLabel.objects.filter(did=MIRA).update(note="new")
    clickhouse_copies._copy(ActorLabel, slow)
    row = ActorLabel.objects.get()
    assert row.published_us == row.time_us
    assert copy() == decided()


def test_a_row_that_clickhouse_refuses_holds_no_other_up(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with clickhouse_away():
        for did in (MIRA, NOEL, OTTO):
            membership.assign(label, did, by="admin")
    row = ActorLabel.row
    monkeypatch.setattr(ActorLabel, "row", lambda self: {**row(self), "time_us": -1} if self.did == NOEL else row(self))
    assert clickhouse_copies.copy_due(ActorLabel) == 2
    assert members(label) == [MIRA, OTTO]
    monkeypatch.undo()
    assert clickhouse_copies.copy_due(ActorLabel) == 1
    assert copy() == decided()


DIES_AFTER_COMMIT = """
import os, signal
from labels import membership
from atsite.core.copies import {module}
{module}.{function} = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
membership.assign("mpls", "did:plc:miramiramiramiramiramira", by="admin")
"""


@pytest.mark.parametrize(
    ("module", "function"),
    [("models", "_settle"), ("clickhouse_copies", "copy_row"), ("clickhouse_copies", "insert")],
)
@both
def test_a_process_killed_between_commit_and_publish_loses_nothing(label: str, module: str, function: str) -> None:
    code, _ = processes.run(DIES_AFTER_COMMIT.format(module=module, function=function))
    assert code == -signal.SIGKILL
    assert [(row.did, row.published_us) for row in ActorLabel.objects.all()] == [(MIRA, 0)]
    assert copy() == []
    tasks.copy_all_due()
    assert copy() == decided()
    assert check() == AGREE


TAKES_TURNS = """
import random, sys
from labels import membership
from labels.models import ActorLabel
from atsite.core.copies.errors import ChangedMeanwhile
name = sys.stdin.readline().strip()
chance = random.Random(name)
for turn in range(15):
    did = chance.choice(["did:plc:miramiramiramiramiramira", "did:plc:noelnoelnoelnoelnoelnoel"])
    if chance.random() < 0.3:
        membership.remove("mpls", did, by=name)
    else:
        membership.assign("mpls", did, by=name)
        try:
            for row in ActorLabel.objects.filter(did=did):
                row.note = f"{name} {turn}"
                row.save()
        except ChangedMeanwhile:
            print("lost a race")
print("done")
"""


@both
def test_two_processes_that_change_the_same_rows_leave_both_sides_equal(label: str) -> None:
    both_processes = [processes.start(TAKES_TURNS) for _ in range(2)]
    outputs = [process.communicate(f"{name}\n", timeout=60) for name, process in zip("ab", both_processes, strict=True)]
    assert [process.returncode for process in both_processes] == [0, 0]
    assert all(output.endswith("done\n") for output, _ in outputs)
    assert copy() == decided()
    versions = [row.time_us for row in ActorLabel.history.all()]
    assert len(set(versions)) == len(versions)
    assert check() == AGREE


@both
def test_check_mends_the_copy_and_says_what(label: str) -> None:
    for did in (MIRA, NOEL, OTTO):
        membership.assign(label, did, by="admin")
    door.execute(f"ALTER TABLE actor_labels DELETE WHERE did = '{MIRA}' SETTINGS mutations_sync = 1", name="tests.harm")
    otto = ActorLabel.objects.get(did=OTTO)
    row = {**otto.row(), "note": "forged", "time_us": otto.time_us + 1}
    clickhouse_copies.insert(ActorLabel, [row, {**row, "did": "did:plc:ghostghostghostghostghos"}])
    clickhouse_copies.insert(
        ActorLabel, [{**ActorLabel.objects.get(did=NOEL).row(), "note": "future", "time_us": 1 << 52}]
    )
    assert check() == (
        "apikeys.ApiKey: rows and copies agree\n"
        "cleanup.RepoCleanupJob: rows and copies agree\n"
        "labels.ActorLabel: 1 × was missing or outdated in the copy "
        "(mpls, did:plc:miramiramiramiramiramira); repaired\n"
        "labels.ActorLabel: 2 × was different in the copy"
        " (mpls, did:plc:noelnoelnoelnoelnoelnoel; mpls, did:plc:ottoottoottoottoottootto); repaired\n"
        "labels.ActorLabel: 1 × was only in the copy (mpls, did:plc:ghostghostghostghostghos); repaired\n"
    )
    assert [row for row in copy() if not row.deleted] == decided()
    assert members(label) == [MIRA, NOEL, OTTO]
    assert check() == AGREE


@both
def test_check_names_what_was_due_and_publish_alone_counts_it(label: str) -> None:
    with clickhouse_away():
        membership.assign(label, MIRA, by="admin")
    assert compare_copies.repair(ActorLabel) == ["labels.ActorLabel: 1 × was not copied yet; repaired"]
    with clickhouse_away():
        membership.assign(label, NOEL, by="admin")
    out = StringIO()
    call_command("publish", stdout=out)
    assert out.getvalue() == "apikeys.ApiKey: 0 copied\ncleanup.RepoCleanupJob: 0 copied\nlabels.ActorLabel: 1 copied\n"
    assert copy() == decided()
