from __future__ import annotations

from indexer.index.events import AccountEvent, Dead, DeadReason, IdentityEvent, RecordEvent, Skip, SkipReason
from indexer.index.floors import FloorRow, Floors, floor_of_deletion, held_from
from indexer.index.gaps import Gap, GapReason
from indexer.stream.batch import Batch, Batcher, Limits
from indexer.stream.decode import decode
from indexer.stream.position import Position
from tests.indexer import frames
from tests.indexer.frames import LIKE, MINUTE, POST, SECOND, T0

REPO = frames.did(1)


def event(at: int = T0, collection: str = POST, repo: str = REPO) -> RecordEvent:
    decoded = decode(frames.commit(repo, collection, "3mmoojp7etg2g", {}, at=at, seen=at))
    assert isinstance(decoded, RecordEvent)
    return decoded


def filled(batcher: Batcher, number: int, *, size: int = 1, now: float = 0.0) -> Batcher:
    for _ in range(number):
        batcher.add(event(), size, now)
    return batcher


def test_a_batch_is_full_at_exactly_its_number_of_events() -> None:
    batcher = Batcher(Limits(rows=3, bytes=100, age=1))

    assert [(filled(batcher, 1).room, batcher.is_full) for _ in range(3)] == [(2, False), (1, False), (1, True)]


def test_a_batch_is_full_at_its_bytes() -> None:
    batcher = Batcher(Limits(rows=100, bytes=10, age=1))

    assert not filled(batcher, 1, size=9).is_full
    assert filled(batcher, 1, size=1).is_full


def test_a_batch_is_old_when_its_first_event_is() -> None:
    batcher = Batcher(Limits(rows=100, bytes=100, age=2))
    assert not batcher.is_due(100)

    filled(batcher, 1, now=10)
    filled(batcher, 1, now=11.9)

    assert (batcher.is_due(11.9), batcher.is_due(12)) == (False, True)


def test_skipped_events_alone_make_a_batch_old_so_that_the_cursor_moves() -> None:
    batcher = Batcher(Limits(rows=100, bytes=100, age=2))

    batcher.add(Skip(SkipReason.UNKNOWN_KIND, T0), 1, 0)

    assert batcher.is_due(2)
    assert batcher.take() == Batch(skipped={SkipReason.UNKNOWN_KIND: 1}, events=1, bytes=1, cursor=T0, oldest_us=T0)


def test_the_cursor_is_the_largest_time_and_not_the_last() -> None:
    batcher = Batcher()
    for at in (T0 + 5, T0 + 9, T0 + 2):
        batcher.add(event(at), 1, 0)

    batch = batcher.take()

    assert (batch.cursor, batch.oldest_us, batch.events) == (T0 + 9, T0 + 2, 3)


def test_an_event_without_a_time_leaves_the_cursor_alone() -> None:
    batcher = Batcher()
    batcher.add(Dead(DeadReason.MALFORMED, "", b"{", 0), 1, 0)

    batch = batcher.take()

    assert (batch.cursor, batch.oldest_us, len(batch.dead)) == (0, 0, 1)


def test_taking_a_batch_begins_a_new_one() -> None:
    batcher = filled(Batcher(), 2)

    assert (batcher.take().events, batcher.take().events) == (2, 0)
    assert not batcher.take()


def test_unwanted_collections_are_counted_and_left_out() -> None:
    batcher = Batcher(wanted=(POST, "com.example.*"))
    for collection in (POST, LIKE, "com.example.thing", "com.examples.thing"):
        batcher.add(event(collection=collection), 1, 0)

    batch = batcher.take()

    assert [row.collection for row in batch.records] == [POST, "com.example.thing"]
    assert batch.skipped == {SkipReason.UNWANTED_COLLECTION: 2}


def test_a_deleted_account_leaves_a_floor_and_what_is_older_is_dropped() -> None:
    batcher = Batcher()
    batcher.add(AccountEvent(REPO, False, "deleted", T0, T0), 1, 0)
    for at in (T0 - MINUTE, T0 + 5 * MINUTE - 1, T0 + 5 * MINUTE):
        batcher.add(event(at), 1, 0)
    batcher.add(IdentityEvent(REPO, "old.example.com", T0, T0 - 1), 1, 0)
    batcher.add(IdentityEvent(REPO, "new.example.com", T0, T0 + 5 * MINUTE), 1, 0)
    other = event(T0 - MINUTE, repo=frames.did(2))
    batcher.add(other, 1, 0)

    batch = batcher.take()

    assert batch.floors == [FloorRow(REPO, (T0 + 5 * MINUTE) << 10, "deleted")]
    assert batch.records == [event(T0 + 5 * MINUTE), other]
    assert [row.handle for row in batch.identities] == ["new.example.com"]
    assert batch.skipped == {SkipReason.BELOW_FLOOR: 3}


def test_an_account_that_is_only_hidden_leaves_no_floor() -> None:
    batcher = Batcher()
    for active, status in ((False, "deactivated"), (False, "takendown"), (False, ""), (True, "deleted"), (True, "")):
        batcher.add(AccountEvent(REPO, active, status, T0, T0), 1, 0)

    batch = batcher.take()

    assert (len(batch.accounts), batch.floors) == (5, [])


def test_a_gap_makes_the_batch_due_at_once() -> None:
    batcher = Batcher()
    gap = Gap(1, 2, GapReason.CLAMPED)

    batcher.add_gap(gap)

    assert batcher.is_due(0)
    assert batcher.take().gaps == [gap]


def test_of_two_floors_the_larger_holds() -> None:
    for order in ((1, -1), (-1, 1)):
        floors = Floors(FloorRow(REPO, (T0 + sign * MINUTE) << 10, "sync") for sign in order)
        assert (floors.is_dead(event(T0 + MINUTE - 1)), floors.is_dead(event(T0 + MINUTE))) == (True, False)


def test_a_floor_is_forgotten_ten_minutes_after_the_cursor_passed_it() -> None:
    floors = Floors([FloorRow(REPO, T0 << 10, "deleted")])

    floors.forget_passed(T0 + 10 * MINUTE)
    assert floors.is_dead(event(T0 - 1))
    floors.forget_passed(T0 + 10 * MINUTE + 1)

    assert not floors.is_dead(event(T0 - 1))
    assert len(floors) == 0


def test_forgetting_an_old_floor_keeps_the_younger_of_the_same_did() -> None:
    floors = Floors([FloorRow(REPO, T0 << 10, "deleted"), FloorRow(REPO, (T0 + 5) << 10, "deleted")])

    floors.forget_passed(T0 + 10 * MINUTE + 1)

    assert floors.is_dead(event(T0 + 4))


def test_a_new_start_of_a_repo_keeps_its_handle() -> None:
    floors = Floors([FloorRow(REPO, T0 << 10, "sync")])

    assert not floors.is_dead_identity(IdentityEvent(REPO, "a.example.com", T0, T0 - 1))


def test_the_floor_of_a_deletion_is_its_own_time_and_five_minutes() -> None:
    deletion = AccountEvent(REPO, False, "deleted", T0 + 7 * SECOND, T0)

    assert floor_of_deletion(deletion) == FloorRow(REPO, (T0 + 5 * MINUTE) << 10, "deleted")
    assert held_from(T0) == (T0 - 10 * MINUTE) << 10


def test_a_floor_that_only_a_fast_clock_has_passed_is_still_held() -> None:
    day = 24 * 60 * MINUTE
    position = Position(lambda: T0)
    position.us, position.plausible_us, position.skew_us = T0 + day, T0, day
    batcher = Batcher(floors=Floors([FloorRow(REPO, T0 << 10, "deleted")]), position=position)
    batcher.add(Dead(DeadReason.MALFORMED, "", b"{", 0), 1, 0)

    batch = batcher.take()

    assert (batch.cursor, batch.plausible_us, batch.skew_us) == (T0 + day, T0, day)
    assert batcher.floors.is_dead(event(T0 - 1))
