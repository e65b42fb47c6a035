"""Who gets a first label is fetched from its PDS, by a row of the same transaction."""

from __future__ import annotations

import pytest
from django.db import transaction

from indexer.index.models import Backfill
from labels import membership
from labels.models import ActorLabel, Label
from tests.labels.people import MIRA

State = Backfill.State


def test_a_first_label_leaves_a_backfill_that_waits_for_that_change(label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    row = Backfill.objects.get()
    assert (row.did, row.days, row.state) == (MIRA.did, 30, State.QUEUED)
    assert row.after_us == ActorLabel.objects.get().time_us


def test_a_label_that_was_not_given_after_all_leaves_none(label: str) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        membership.assign(label, MIRA.did, by="admin")
        raise ZeroDivisionError
    assert not Backfill.objects.exists()


def test_a_second_label_asks_for_nothing_that_is_done_or_coming(label: str) -> None:
    Label.objects.create(name="other")
    membership.assign(label, MIRA.did, by="admin")
    Backfill.objects.update(state=State.COMPLETED)
    membership.assign("other", MIRA.did, by="admin")
    assert Backfill.objects.get().state == State.COMPLETED


def test_a_second_label_tries_again_what_failed(label: str) -> None:
    Label.objects.create(name="other")
    membership.assign(label, MIRA.did, by="admin")
    Backfill.objects.update(state=State.FAILED)
    membership.assign("other", MIRA.did, by="admin")
    assert Backfill.objects.get().state == State.QUEUED


def test_who_comes_back_is_fetched_again_as_nobody_may_have_listened_meanwhile(label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    Backfill.objects.update(state=State.COMPLETED)
    membership.remove(label, MIRA.did, by="admin")
    assert Backfill.objects.get().state == State.COMPLETED
    membership.assign(label, MIRA.did, by="admin")
    row = Backfill.objects.get()
    assert (row.state, row.after_us) == (State.QUEUED, ActorLabel.objects.get().time_us)


def test_a_removal_that_was_undone_asks_for_a_backfill_too(label: str) -> None:
    membership.assign(label, MIRA.did, by="admin")
    membership.remove(label, MIRA.did, by="admin")
    Backfill.objects.update(state=State.COMPLETED)
    row = ActorLabel.every.get()
    membership.restore(row.pk, row.time_us, by="admin")
    assert Backfill.objects.get().state == State.QUEUED
