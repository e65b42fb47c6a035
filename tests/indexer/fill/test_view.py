"""Which name an actor is shown with: the stream's or the one that was asked for."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door
from indexer.fill import queries
from indexer.fill.profiles import Profile
from indexer.index.floors import FloorRow
from indexer.index.purge import purge
from tests.builders import ALICE, BOB, ago, delete, identity, micros, profile, store
from tests.indexer.schema import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from atsite.core.atproto.syntax import Did
    from tests.builders import Moment

pytestmark = pytest.mark.usefixtures("clickhouse")


def fill(did: Did, handle: str, name: str, *, at: Moment, changed: Moment | None = None) -> None:
    """What an AppView said at that moment; `changed`: the event without a handle that it was asked about."""
    told = {did: Profile(did, handle, name)}
    changed_us = {} if changed is None else {did: micros(changed)}
    queries.store(told, source="appview", due_us={did: 0}, changed_us=changed_us, now=micros(at))


def names(did: Did = ALICE) -> tuple[str, str]:
    sql = "SELECT handle, display_name FROM actors WHERE did = {did:String}"
    found = [(row["handle"], row["name"]) for row in tables.rows(sql, "handle", "name", did=did)]
    assert len(found) < 2
    return found[0] if found else ("", "")


def test_what_the_stream_never_told_is_shown_as_it_was_asked() -> None:
    fill(ALICE, "alice.example.com", "Alice", at=ago(hours=1))
    assert names() == ("alice.example.com", "Alice")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_event_that_an_appview_may_not_know_yet_wins_in_every_order(order: tuple[int, ...]) -> None:
    steps: tuple[Callable[[], None], ...] = (
        lambda: store(identity(ALICE, "new.example.com", at=ago(minutes=50))),
        lambda: store(profile(ALICE, name="New", at=ago(minutes=50))),
        lambda: fill(ALICE, "old.example.com", "Old", at=ago(minutes=1)),
    )
    for step in order:
        steps[step]()
    assert names() == ("new.example.com", "New")


def test_what_was_asked_long_after_the_streams_last_word_wins() -> None:
    store(identity(ALICE, "old.example.com", at=ago(hours=5)), profile(ALICE, name="Old", at=ago(hours=5)))
    fill(ALICE, "new.example.com", "New", at=ago(hours=1))
    assert names() == ("new.example.com", "New")


def test_of_two_fills_the_later_counts_whatever_came_first() -> None:
    fill(ALICE, "new.example.com", "New", at=ago(hours=1))
    fill(ALICE, "old.example.com", "Old", at=ago(hours=9))
    assert names() == ("new.example.com", "New")


def test_a_fill_without_a_handle_takes_none_away_but_a_name_can_be_taken_back() -> None:
    store(identity(ALICE, "alice.example.com", at=ago(hours=9)), profile(ALICE, name="Alice", at=ago(hours=9)))
    queries.store({ALICE: None}, source="appview", due_us={ALICE: 0}, now=micros(ago(hours=1)))
    assert names() == ("alice.example.com", "Alice")
    written = profile(BOB, name="Bob", at=ago(hours=9))
    fill(BOB, "bob.example.com", "Bob", at=ago(hours=5))
    store(written, delete(written, at=ago(hours=2)))
    assert names(BOB) == ("bob.example.com", "")


def test_a_purge_takes_what_was_asked_before_the_account_ended() -> None:
    fill(ALICE, "alice.example.com", "Alice", at=ago(hours=5))
    fill(BOB, "bob.example.com", "Bob", at=ago(hours=5))
    purge([FloorRow(ALICE, micros(ago(hours=1)) << 10, "deleted")], now=ago())
    assert (names(), names(BOB)) == (("", ""), ("bob.example.com", "Bob"))
    assert door.column("SELECT did FROM actor_fills", name="tests.fills") == [BOB]
