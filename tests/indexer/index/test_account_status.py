"""Whose posts are shown: what the index knows of actors."""

from __future__ import annotations

from indexer.index.account_status import UNKNOWN, AccountStatus
from tests.builders import ALICE


def test_rows_below_the_floor_and_of_who_is_not_active_are_not_shown() -> None:
    assert UNKNOWN.shows(0)
    assert [AccountStatus(ALICE, True, 7).shows(version) for version in (6, 7)] == [False, True]
    assert not AccountStatus(ALICE, False, 0).shows(8)
