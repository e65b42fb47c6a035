"""Whose handle it is, and what actors are called, as this site knows it."""

from __future__ import annotations

from itertools import permutations

import pytest

from atsite.core.clickhouse import door
from indexer.index.handles import Name, did_of_handle, dids_of_handles, having_handle, names_of
from tests.builders import ALICE, BOB, CAROL, account, ago, identity, profile, store
from tests.indexer.fill.test_view import fill

pytestmark = pytest.mark.usefixtures("clickhouse")


def handle_of(did: str) -> str:
    return names_of([did]).get(did, Name(did)).handle


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_handle_that_another_took_is_lost_at_once_whatever_came_first(order: tuple[int, ...]) -> None:
    rows = (
        identity(ALICE, "a.test", at=ago(hours=3)),
        identity(BOB, "b.test", at=ago(hours=3)),
        identity(BOB, "a.test", at=ago(hours=1)),
    )
    for index in order:
        store(rows[index])
    assert did_of_handle("a.test") == BOB
    assert did_of_handle("b.test") is None
    assert (handle_of(ALICE), handle_of(BOB)) == ("", "a.test")
    assert having_handle([ALICE, CAROL, BOB], "a.") == [BOB]  # nothing is known of Carol


def test_a_handle_that_was_given_up_leads_to_no_actor_until_a_new_word() -> None:
    store(identity(ALICE, "a.test", at=ago(hours=3)), identity(BOB, "a.test", at=ago(hours=2)))
    store(identity(BOB, "b.test", at=ago(hours=1)))
    assert did_of_handle("a.test") is None
    assert (handle_of(ALICE), handle_of(BOB)) == ("", "b.test")
    store(identity(ALICE, "a.test", at=ago(minutes=1)))
    assert did_of_handle("a.test") == ALICE
    assert handle_of(ALICE) == "a.test"


def test_a_handle_that_was_asked_for_is_known_and_an_hour_older_than_the_asking() -> None:
    fill(ALICE, "a.test", "Alice", at=ago(hours=3))
    assert did_of_handle("a.test") == ALICE
    store(identity(BOB, "a.test", at=ago(hours=3, minutes=30)))
    assert did_of_handle("a.test") == BOB
    assert handle_of(ALICE) == ""
    fill(ALICE, "a.test", "Alice", at=ago(hours=2))
    assert did_of_handle("a.test") == ALICE
    assert handle_of(BOB) == ""


def test_an_event_without_a_handle_keeps_the_one_that_is_known() -> None:
    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(ALICE, "", at=ago(hours=1)))
    assert (did_of_handle("a.test"), handle_of(ALICE)) == (ALICE, "a.test")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_answer_to_an_event_without_a_handle_is_as_young_as_the_event(order: tuple[int, ...]) -> None:
    changed = ago(minutes=10)
    steps = (
        lambda: store(identity(ALICE, "old.test", at=ago(minutes=30))),
        lambda: store(identity(ALICE, "", at=changed)),
        lambda: fill(ALICE, "new.test", "Alice", at=ago(minutes=5), changed=changed),
    )
    for index in order:
        steps[index]()
    assert (handle_of(ALICE), did_of_handle("new.test"), did_of_handle("old.test")) == ("new.test", ALICE, None)


def test_whoever_took_a_handle_by_an_event_without_one_has_it_once_it_was_asked_for() -> None:
    store(identity(ALICE, "a.test", at=ago(minutes=40)))
    taken = ago(minutes=20)
    store(identity(BOB, "", at=taken))
    fill(BOB, "a.test", "Bob", at=ago(minutes=15), changed=taken)
    assert (handle_of(ALICE), handle_of(BOB), did_of_handle("a.test")) == ("", "a.test", BOB)


@pytest.mark.parametrize("said", ["handle.invalid", "Handle.Invalid"])
def test_a_handle_that_could_not_be_verified_is_none_and_the_name_says_so(said: str) -> None:
    for did in (ALICE, BOB):
        store(identity(did, "x.test", at=ago(hours=4)), identity(did, said, at=ago(hours=2)))
    assert names_of([ALICE]) == {ALICE: Name(ALICE, unverified=1)}
    assert dids_of_handles(["handle.invalid", "x.test"]) == {}
    assert door.column("SELECT DISTINCT handle FROM actor_handles", name="tests.handles") == ["x.test"]
    store(identity(ALICE, "x.test", at=ago(hours=1)))
    assert names_of([ALICE]) == {ALICE: Name(ALICE, "x.test")}


def test_handles_of_older_rows_are_asked_in_lower_case() -> None:
    store(identity(ALICE, "Ann.Test", at=ago(hours=1)))
    assert (did_of_handle("ann.test"), handle_of(ALICE)) == (ALICE, "ann.test")


def test_a_name_is_all_that_is_known() -> None:
    store(
        identity(ALICE, "a.test", at=ago(hours=1)),
        profile(ALICE, at=ago(hours=1), name="Alice"),
        account(BOB, active=False, status="takendown", at=ago(hours=1)),
    )
    assert names_of([ALICE, BOB, CAROL, ALICE]) == {
        ALICE: Name(ALICE, "a.test", "Alice"),
        BOB: Name(BOB, active=0, status="takendown"),
    }
    assert names_of([]) == {}


def test_many_handles_are_asked_for_at_once() -> None:

    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(BOB, "b.test", at=ago(hours=1)))
    assert dids_of_handles(["a.test", "b.test", "c.test"]) == {"a.test": ALICE, "b.test": BOB}
    assert dids_of_handles([]) == {}
