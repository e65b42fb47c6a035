"""Whose posts are shown: what the index knows of actors."""

from __future__ import annotations

from indexer.index.account_status import UNKNOWN, AccountStatus, account_statuses
from tests.builders import ALICE, BOB, CAROL, account, ago, floor, micros, store


def test_a_standing_is_the_last_account_event_and_the_highest_floor(clickhouse: None) -> None:
    now = micros(ago(minutes=1))
    store(
        account(ALICE, at=ago(hours=1)),
        account(ALICE, active=False, status="deactivated", at=ago(hours=2)),
        account(BOB, active=False, status="deleted", at=ago(hours=1)),
        floor(BOB, at=now),
        floor(BOB, at=now - 1),
    )

    assert account_statuses({ALICE, BOB, CAROL}) == {
        ALICE: AccountStatus(ALICE, True, 0),
        BOB: AccountStatus(BOB, False, now << 10),
    }


def test_many_actors_fit_in_one_question(clickhouse: None) -> None:
    assert account_statuses({f"did:plc:{number:024}" for number in range(1_000)}) == {}


def test_rows_below_the_floor_and_of_who_is_not_active_are_not_shown() -> None:
    assert UNKNOWN.shows(0)
    assert [AccountStatus(ALICE, True, 7).shows(version) for version in (6, 7)] == [False, True]
    assert not AccountStatus(ALICE, False, 0).shows(8)
