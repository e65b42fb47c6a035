"""What search asks of actors."""

from __future__ import annotations

from search import queries
from search.queries import Standing
from tests.builders import ALICE, BOB, CAROL, account, ago, floor, identity, micros, store


def test_a_standing_is_the_last_account_event_and_the_highest_floor(clickhouse: None) -> None:
    now = micros(ago(minutes=1))
    store(
        account(ALICE, at=ago(hours=1)),
        account(ALICE, active=False, status="deactivated", at=ago(hours=2)),
        account(BOB, active=False, status="deleted", at=ago(hours=1)),
        floor(BOB, at=now),
        floor(BOB, at=now - 1),
    )

    assert queries.standings({ALICE, BOB, CAROL}) == {
        ALICE: Standing(ALICE, True, 0),
        BOB: Standing(BOB, False, now << 10),
    }


def test_many_actors_fit_in_one_question(clickhouse: None) -> None:
    assert queries.standings({f"did:plc:{number:024}" for number in range(1_000)}) == {}


def test_a_handle_belongs_to_whoever_took_it_last(clickhouse: None) -> None:
    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(BOB, "a.test", at=ago(hours=1)))
    assert queries.actor_of_handle("a.test") == BOB

    store(identity(BOB, "b.test", at=ago(minutes=1)))
    assert queries.actor_of_handle("a.test") == ALICE
    assert queries.actor_of_handle("c.test") is None
