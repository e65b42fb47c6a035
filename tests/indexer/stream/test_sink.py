from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import BadContent, ClickHouseError, QueryTimedOut, SchemaMismatch, Unreachable
from indexer.index.events import AccountEvent, Dead, DeadReason, IdentityEvent, RecordEvent
from indexer.index.floors import ACCOUNT_DELETED, FloorRow
from indexer.index.gaps import Gap, GapReason
from indexer.stream import metrics
from indexer.stream.batch import Batch
from indexer.stream.decode import decode
from indexer.stream.raw_frame import raw_of
from indexer.stream.sink import GaveUp, Sink, SinkBroken, disk_is_low
from tests.indexer import frames
from tests.indexer.frames import SECOND, T0
from tests.indexer.stream_fold import _rows as rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.index.records import Columns


def batch(*rkeys: str) -> Batch:
    events = [decode(frames.post(frames.did(1), rkey, rkey, at=T0 + n * SECOND)) for n, rkey in enumerate(rkeys)]
    return Batch(records=[event for event in events if isinstance(event, RecordEvent)], events=len(events), cursor=T0)


class Table:
    """An insert that fails as told, and remembers what it was given."""

    def __init__(self, *failures: ClickHouseError, poison: str = "") -> None:
        self.failures = list(failures)
        self.poison = poison
        self.blocks: list[tuple[str, Columns]] = []

    def __call__(self, table: str, columns: Columns, /, *, name: str) -> int:
        self.blocks.append((table, columns))
        if self.failures:
            raise self.failures.pop(0)
        if self.poison and any(rkey.startswith(self.poison) for rkey in columns.get("rkey", [])):
            raise BadContent("no", code=53, name=name)
        return 1


class Waits:
    """A wait that does not sleep; gives up after `patience` of them."""

    def __init__(self, patience: int = 1000) -> None:
        self.seconds: list[float] = []
        self.patience = patience

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) < self.patience


def away() -> ClickHouseError:
    return Unreachable("away", code=210, name="tests")


def test_an_error_that_may_pass_is_answered_with_the_same_block_again() -> None:
    table, waits = Table(*(away() for _ in range(9))), Waits()
    before = metrics.RETRIES.labels(table="repo_records")._value.get()

    Sink("host", insert=table, wait=waits).write(batch("a", "b"))

    assert len(table.blocks) == 10
    assert all(block == table.blocks[0] for block in table.blocks)
    assert waits.seconds == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10]
    assert metrics.RETRIES.labels(table="repo_records")._value.get() - before == 9


@pytest.mark.parametrize("code", [159, 160])
def test_an_insert_that_took_too_long_is_no_refusal_and_is_sent_again(code: int) -> None:
    """TIMEOUT_EXCEEDED and TOO_SLOW: merges or a slow disk cause them, and no other row would do better."""
    late = QueryTimedOut("too long", code=code, name="tests")
    assert not late.retryable
    table, waits = Table(late, late), Waits()

    Sink("host", insert=table, wait=waits).write(batch("a"))

    assert [name for name, _ in table.blocks] == ["repo_records"] * 3
    assert waits.seconds == [0.2, 0.4]


def test_inserting_counts_as_paused_until_a_block_was_taken() -> None:
    seen: list[float] = []

    def wait(seconds: float) -> bool:
        seen.append(metrics.PAUSED.labels(cause="clickhouse")._value.get())
        return True

    Sink("host", insert=Table(away(), away()), wait=wait).write(batch("a"))

    assert seen == [1, 1]
    assert metrics.PAUSED.labels(cause="clickhouse")._value.get() == 0


def test_floors_come_first_and_records_after_all_that_says_whose_they_are() -> None:
    """A reader that sees any other row of a deletion must see its floor as well."""
    table = Table()
    whole = batch("a")
    whole.floors.append(FloorRow(frames.did(2), 7, ACCOUNT_DELETED))
    whole.gaps.append(Gap(1, 2, GapReason.CLAMPED))
    whole.accounts.append(AccountEvent(frames.did(2), False, "deleted", T0, T0))
    whole.identities += [
        IdentityEvent(frames.did(3), "carol.test", T0, T0),
        IdentityEvent(frames.did(4), "", T0, T0),
    ]
    whole.dead.append(Dead(DeadReason.MALFORMED, "", b"{", T0))

    Sink("host", insert=table, wait=Waits()).write(whole)

    assert [(name, columns.get("did", columns.get("repo"))) for name, columns in table.blocks] == [
        ("repo_floors", [frames.did(2)]),
        ("stream_gaps", None),
        ("actor_accounts", [frames.did(2)]),
        ("actor_identities", [frames.did(3)]),
        ("identity_changes", [frames.did(4)]),
        ("repo_records", [frames.did(1)]),
        ("dead_letters", None),
    ]


def test_a_stop_ends_the_trying_and_says_what_was_not_written() -> None:
    with pytest.raises(GaveUp, match="repo_records"):
        Sink("host", insert=Table(*(away() for _ in range(9))), wait=Waits(patience=3)).write(batch("a"))


def test_a_missing_table_is_nobodys_fault_but_ours() -> None:
    missing = SchemaMismatch("no such table", code=60, name="tests")

    with pytest.raises(SinkBroken, match="no such table"):
        Sink("host", insert=Table(missing), wait=Waits()).write(batch("a"))


def test_a_refused_row_is_found_and_the_others_are_written() -> None:
    table = Table(poison="bad")
    given = batch(*(f"bad{n}" if n in (7, 150) else f"r{n}" for n in range(300)))
    rows = list(given.records)

    Sink("host", insert=table, wait=Waits()).write(given)

    assert [(dead.reason, dead.payload) for dead in given.dead] == [
        (DeadReason.REFUSED, raw_of(rows[number])) for number in (7, 150)
    ]
    assert table.blocks[-1][0] == "dead_letters"
    taken = [columns["rkey"] for name, columns in table.blocks if name == "repo_records"]
    written = {rkey for block in taken if not any(rkey.startswith("bad") for rkey in block) for rkey in block}
    assert written == {f"r{n}" for n in range(300)} - {"r7", "r150"}


@pytest.mark.parametrize(
    ("rows", "bad", "broken"), [(200, 2, False), (200, 3, True), (100, 1, False), (100, 2, True), (99, 99, False)]
)
def test_more_than_one_in_a_hundred_refused_stops_loudly(rows: int, bad: int, broken: bool) -> None:
    given = batch(*(f"bad{n}" if n < bad else f"r{n}" for n in range(rows)))
    sink = Sink("host", insert=Table(poison="bad"), wait=Waits())

    if broken:
        with pytest.raises(SinkBroken, match="refused more than 1%"):
            sink.write(given)
    else:
        sink.write(given)
        assert len(given.dead) == bad


def test_too_little_disk_waits_and_goes_on_when_there_is_enough() -> None:
    answers = iter([True, True, False])
    table, waits = Table(), Waits()

    Sink("host", insert=table, wait=waits, disk=lambda: next(answers)).write(batch("a"))

    assert waits.seconds == [5, 5]
    assert len(table.blocks) == 1


def test_disk_is_low_below_the_limit(tmp_path: Path) -> None:
    assert disk_is_low(tmp_path / "not" / "yet", 1 << 62)()
    assert not disk_is_low(tmp_path, 0)()
    free = shutil.disk_usage(tmp_path).free
    assert disk_is_low(tmp_path, 2 * free)()
    assert not disk_is_low(tmp_path, free // 2)()


@pytest.mark.usefixtures("clickhouse")
class TestRefusedByClickHouse:
    @pytest.fixture
    def _picky(self) -> Iterator[None]:
        door.execute("ALTER TABLE repo_records ADD CONSTRAINT picky CHECK rkey != 'poison'", name="tests.constraint")
        yield
        door.execute("ALTER TABLE repo_records DROP CONSTRAINT picky", name="tests.constraint")

    @pytest.mark.usefixtures("_picky")
    def test_a_row_that_the_real_server_refuses_becomes_a_dead_letter(self) -> None:
        given = batch("a", "poison", "b")

        Sink("host", wait=Waits()).write(given)

        assert rows_of("SELECT rkey FROM posts FINAL ORDER BY rkey") == [("a",), ("b",)]
        letters: list[Any] = rows_of("SELECT reason, host, payload FROM dead_letters FINAL")
        assert [(reason, host) for reason, host, _ in letters] == [("refused", "host")]
        assert decode(letters[0][2].encode()) == given.records[1]
