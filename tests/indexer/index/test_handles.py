"""Whose handle it is, as this site knows it."""

from __future__ import annotations

import pytest

from indexer.index.handles import did_of_handle, dids_of_handles
from tests.builders import ALICE, BOB, ago, identity, store
from tests.indexer.fill.test_view import fill

pytestmark = pytest.mark.usefixtures("clickhouse")


def test_a_handle_belongs_to_whoever_took_it_last() -> None:
    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(BOB, "a.test", at=ago(hours=1)))
    assert did_of_handle("a.test") == BOB

    store(identity(BOB, "b.test", at=ago(minutes=1)))
    assert did_of_handle("a.test") == ALICE
    assert did_of_handle("c.test") is None


def test_a_handle_that_was_asked_for_is_known_and_an_hour_older_than_the_asking() -> None:
    fill(ALICE, "a.test", "Alice", at=ago(hours=3))
    assert did_of_handle("a.test") == ALICE
    store(identity(BOB, "a.test", at=ago(hours=3, minutes=30)))
    assert did_of_handle("a.test") == BOB
    fill(ALICE, "a.test", "Alice", at=ago(hours=2))
    assert did_of_handle("a.test") == ALICE


def test_many_handles_are_asked_for_at_once() -> None:
    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(BOB, "b.test", at=ago(hours=1)))
    assert dids_of_handles(["a.test", "b.test", "c.test"]) == {"a.test": ALICE, "b.test": BOB}
    assert dids_of_handles([]) == {}
