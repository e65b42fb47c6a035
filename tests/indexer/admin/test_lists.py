"""What the lists of the stream, of raw records, of days and of backfills show."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.clickhouse import door
from atsite.core.clock import us_of
from indexer.index.models import Backfill
from tests.admin.conftest import groups, login
from tests.builders import ALICE, ago, post, store
from tests.indexer.admin.test_admin import browser, cells, page

if TYPE_CHECKING:
    from django.test import Client

__all__ = ["browser", "groups", "login"]

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

T0 = 1_779_719_000_000_000  # 2026-05-25 14:23:20


def insert(table: str, **values: object) -> None:
    door.insert(table, {name: [value] for name, value in values.items()}, name="tests.row")


def test_a_checkpoint_says_how_far_the_stream_was_indexed_and_how_far_that_was_behind(browser: Client) -> None:
    last = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)  # old ones are not kept
    at = us_of(last)
    for seconds, host in ((3_725, "a.example"), (-5, "b.example")):
        acked = last + timedelta(seconds=seconds)
        insert("indexer_checkpoints", host=host, protocol="p", cursor=at, time_us=at, safe_cursor=at, acked_at=acked)
    text = page(browser, "/admin/indexer/indexercheckpoint/")
    assert cells(text, "reached") == [f"{last:%Y-%m-%d %H:%M:%S}"] * 2
    assert list(zip(cells(text, "host"), cells(text, "behind"), strict=True)) == [
        ("a.example", "1:02:05"),
        ("b.example", "0:00:00"),  # a clock that is ahead
    ]


def test_a_gap_says_how_long_it_is(browser: Client) -> None:
    insert("stream_gaps", from_us=T0, to_us=T0 + 3_725_000_000, host="a.example", reason="r")
    assert cells(page(browser, "/admin/indexer/streamgap/"), "length") == ["1:02:05"]


def test_the_numbers_of_a_day_have_separators(browser: Client) -> None:
    insert("daily_stats", day=date(2026, 3, 1), posts=1_234_567, likes=2, reposts=3, follows=4, blocks=5, actors=6_000)
    text = page(browser, "/admin/indexer/dailystats/")
    names = ("posts", "likes", "reposts", "follows", "blocks", "actors")
    assert [cells(text, name) for name in names] == [["1,234,567"], ["2"], ["3"], ["4"], ["5"], ["6,000"]]


def test_a_raw_record_is_shown_as_json_that_can_be_read(browser: Client) -> None:
    store(post(ALICE, at=ago(hours=1), text="<b>bold</b>"))
    text = page(browser, "/admin/indexer/reporecord/")
    (address,) = set(re.findall(r'href="(/admin/indexer/reporecord/[^"]+/change/)', text))
    shown = page(browser, address)
    assert "&quot;text&quot;: &quot;&lt;b&gt;bold&lt;/b&gt;&quot;" in shown


def test_a_backfill_shows_its_state_when_it_goes_on_and_what_it_did(browser: Client) -> None:
    now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    done = {"listed": 1, "written": 2, "removed": 3}
    rows: dict[str, dict[str, Any]] = {
        "did:plc:a": {"state": Backfill.State.COMPLETED, "progress": done, "next_at": now},
        "did:plc:b": {"state": Backfill.State.QUEUED, "next_at": now},
        "did:plc:c": {"state": Backfill.State.FAILED},
    }
    for did, values in rows.items():
        Backfill.objects.create(did=did, days=3, requested_at=now, **values)
    text = page(browser, "/admin/indexer/backfill/")
    columns = ("who", "state_badge", "next_try", "counts")
    shown = {who: told for who, *told in zip(*(cells(text, name) for name in columns), strict=True)}
    assert shown == {
        "did:plc:a": ["completed", "-", "1 read, 2 written, 3 removed"],
        "did:plc:b": ["queued", "2026-03-01 10:00 UTC", ""],
        "did:plc:c": ["failed", "-", ""],
    }
