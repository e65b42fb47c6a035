"""Who carries a label: effective at once, in every process, and closed where it cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError

from atsite.core.atproto.syntax import Did
from atsite.core.copies.errors import Undecidable
from labels import membership
from labels.change_author import Via, acting
from labels.models import ActorLabel, Label
from tests.away import default_away, redis_away
from tests.core.copies import processes

if TYPE_CHECKING:
    from pathlib import Path

    import redis

MIRA, NOEL = Did("did:plc:mira"), Did("did:plc:noel")


def test_a_label_is_carried_from_its_assignment_to_its_removal(label: str) -> None:
    seen = [membership.has_label(MIRA, label)]
    membership.assign(label, MIRA, by="admin")
    seen += [membership.has_label(MIRA, label), membership.has_label(NOEL, label), membership.has_label(MIRA, "other")]
    membership.remove(label, MIRA, by="admin")
    seen.append(membership.has_label(MIRA, label))
    assert seen == [False, True, False, False, False]


def test_assigning_twice_changes_nothing_the_second_time(label: str) -> None:
    assert membership.assign(label, MIRA, by="admin").changed
    assert not membership.assign(label, MIRA, by="admin").changed
    assert ActorLabel.history.count() == 1


def test_only_dids_carry_labels_and_only_labels_that_exist(label: str) -> None:
    with pytest.raises(ValidationError, match="Enter a did"):
        membership.assign(label, Did("mira.example.com"), by="admin")
    with pytest.raises(Label.DoesNotExist):
        membership.assign("unheard-of", MIRA, by="admin")
    assert not ActorLabel.every.exists()


def test_history_says_who_changed_a_member_and_from_where(label: str) -> None:
    membership.assign(label, MIRA, by="admin", via=Via.ADMIN)
    membership.remove(label, MIRA, by="23456789bcdf", via=Via.API_KEY)
    membership.assign(label, MIRA, by="")
    entries = [(entry.deleted, entry.changed_by, entry.changed_via) for entry in ActorLabel.history.all()]
    assert entries == [(False, "", "server"), (True, "23456789bcdf", "api key"), (False, "admin", "admin")]
    row = ActorLabel.every.get()
    assert (row.changed_by, row.changed_via) == ("", "server")


def test_the_outermost_author_counts(label: str) -> None:
    with acting("anna", Via.BULK):
        membership.assign(label, MIRA, by="inner", via=Via.API_KEY)
    assert [(row.changed_by, row.changed_via) for row in ActorLabel.objects.all()] == [("anna", "bulk")]


ANSWERS = """
import sys
from labels.membership import has_label
for did in sys.stdin:
    print(has_label(did.strip(), "mpls"), flush=True)
"""


def test_another_process_sees_a_change_at_its_next_question(label: str) -> None:
    process = processes.start(ANSWERS)
    assert process.stdin is not None
    assert process.stdout is not None

    def ask() -> str:
        process.stdin.write(f"{MIRA}\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline()  # type: ignore[union-attr]

    answers = [ask()]
    for _ in range(20):
        membership.assign(label, MIRA, by="admin")
        answers.append(ask())
        membership.remove(label, MIRA, by="admin")
        answers.append(ask())
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()
    assert answers == ["False\n"] + ["True\n", "False\n"] * 20


def test_with_redis_away_membership_is_decided_from_the_store(label: str) -> None:
    membership.assign(label, MIRA, by="admin")
    with redis_away():
        assert membership.has_label(MIRA, label)
        membership.remove(label, MIRA, by="admin")
        assert not membership.has_label(MIRA, label)


def test_with_the_store_away_it_is_decided_from_entries_and_then_unknown(
    label: str, valkey: redis.Redis, tmp_path: Path
) -> None:
    membership.assign(label, MIRA, by="admin")
    assert not membership.has_label(NOEL, label)
    with default_away(tmp_path):
        assert membership.has_label(MIRA, label)
        assert not membership.has_label(NOEL, label)
        valkey.flushdb()
        for did in (MIRA, NOEL):
            with pytest.raises(Undecidable):
                membership.has_label(did, label)
    assert membership.has_label(MIRA, label)


def test_with_both_away_nobody_is_let_in(label: str, tmp_path: Path) -> None:
    membership.assign(label, MIRA, by="admin")
    with default_away(tmp_path), redis_away(), pytest.raises(Undecidable):
        membership.has_label(MIRA, label)
