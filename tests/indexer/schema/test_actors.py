"""The view of actors: three tables that change independently and arrive in any order."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.builders import ALICE, BOB, CAROL, Row, account, ago, delete, follow, identity, profile, store
from tests.indexer.schema import tables

COLUMNS = ("did", "handle", "active", "status", "display_name", "description", "avatar")
SHOWN = ", ".join(COLUMNS)

PARTS: tuple[tuple[Row, ...], ...] = (
    (identity(ALICE, "old.example.com", at=1_000), identity(ALICE, "new.example.com", at=2_000)),
    (account(ALICE, active=False, status="deactivated", at=1_000), account(ALICE, at=2_000)),
    (
        profile(ALICE, at=1_000, name="old", description="old", avatar="bafyold"),
        profile(ALICE, at=2_000, name="Alice", description="hi", avatar="bafynew"),
    ),
)


def actors() -> list[dict[str, object]]:
    return tables.rows(f"SELECT {SHOWN} FROM actors ORDER BY did", *COLUMNS)


def actor(*values: object) -> dict[str, object]:
    return dict(zip(COLUMNS, values, strict=True))


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_newest_of_each_part_stands_whatever_came_first(
    clickhouse: None, order: tuple[int, ...], newest_first: bool
) -> None:
    for part in order:
        for row in sorted(PARTS[part], key=lambda row: row.version, reverse=newest_first):
            store(row)
    assert actors() == [actor(ALICE, "new.example.com", 1, "", "Alice", "hi", "bafynew")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (PARTS[0][1], (ALICE, "new.example.com", None, "", "", "", "")),
        (account(ALICE, active=False, status="takendown", at=1), (ALICE, "", 0, "takendown", "", "", "")),
        (PARTS[2][1], (ALICE, "", None, "", "Alice", "hi", "bafynew")),
    ],
)
def test_one_part_alone_makes_an_actor(clickhouse: None, row: Row, expected: tuple[object, ...]) -> None:
    store(row)
    assert actors() == [actor(*expected)]


def test_a_deleted_profile_leaves_handle_and_account(clickhouse: None) -> None:
    written = profile(ALICE, at=1_000, name="Alice")
    store(written, delete(written, at=2_000), *PARTS[0], *PARTS[1])
    assert actors() == [actor(ALICE, "new.example.com", 1, "", "", "", "")]


def test_following_counts_are_distinct_accounts_of_live_follows(clickhouse: None) -> None:
    gone = follow(ALICE, CAROL, at=ago(hours=3))
    store(
        follow(ALICE, BOB, at=ago(hours=3)),
        follow(ALICE, BOB, at=ago(hours=2)),
        gone,
        delete(gone, at=ago(hours=1)),
        follow(BOB, ALICE, at=ago(hours=1)),
        follow(BOB, CAROL, at=ago(hours=1)),
    )
    assert tables.rows("SELECT did, following FROM following_counts ORDER BY did", "did", "following") == [
        {"did": ALICE, "following": 1},
        {"did": BOB, "following": 2},
    ]
