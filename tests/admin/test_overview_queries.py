"""What the overview reads from ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.dashboard import queries
from atsite.dashboard.numbers import DeadLetters, Gaps
from tests import builders as b

if TYPE_CHECKING:
    from datetime import datetime

SECOND = 1_000_000


def dead(id: str, at: datetime, *, version: int = 1, deleted: int = 0) -> None:
    row = {"id": id, "reason": "bad_did", "stored_at": at, "version": version, "deleted": deleted}
    door.insert("dead_letters", {name: [value] for name, value in row.items()}, name="tests.dead_letter")


def gap(start: int, end: int, at: datetime) -> None:
    row = {"from_us": start * SECOND, "to_us": end * SECOND, "host": "h", "reason": "clamped", "noticed_at": at}
    door.insert("stream_gaps", {name: [value] for name, value in row.items()}, name="tests.gap")


def test_dead_letters_that_were_not_retried_are_counted_and_those_of_the_last_day(clickhouse: None) -> None:
    assert queries.dead_letters() == DeadLetters(0, 0)
    for id, hours in (("a", 1), ("b", 23), ("c", 25), ("d", 300)):
        dead(id, b.ago(hours=hours))
        dead(id, b.ago(hours=hours))  # delivered twice
    dead("retried", b.ago(hours=2))
    dead("retried", b.ago(hours=2), version=2, deleted=1)
    assert queries.dead_letters() == DeadLetters(4, 2)


def test_gaps_of_the_last_week_are_counted_once_with_what_they_miss(clickhouse: None) -> None:
    assert queries.gaps() == Gaps(0, None, 0)
    newest = b.ago(days=1).replace(microsecond=0)
    for _ in range(2):  # noticed twice
        gap(100, 160, newest)
    gap(500, 400, b.ago(days=6, hours=23))  # the host's clock is behind
    gap(700, 800, b.ago(days=7, hours=1))
    assert queries.gaps() == Gaps(2, newest, 60)


def test_tables_are_listed_with_their_rows_the_largest_first(clickhouse: None) -> None:
    for number in range(3):
        dead(f"{number}", b.ago(hours=1))
    gap(1, 2, b.ago(hours=1))
    tables = queries.tables()
    assert {table.name: table.rows for table in tables if table.name in ("dead_letters", "stream_gaps")} == {
        "dead_letters": 3,
        "stream_gaps": 1,
    }
    assert [table.bytes for table in tables] == sorted((table.bytes for table in tables), reverse=True)


def test_the_disk_with_the_least_space_is_compared_with_where_indexing_pauses(clickhouse: None) -> None:
    disk = queries.disk(pause_below=7)
    assert (0 < disk.free <= disk.whole, disk.pause_below) == (True, 7)
