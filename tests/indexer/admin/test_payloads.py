"""What a stranger sent, made readable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin

from indexer.admin.backfills import BackfillAdmin
from indexer.admin.payloads import SHOWN, readable
from indexer.admin.posts import PostAdmin
from indexer.index.models import Backfill, Post

T1, T2 = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ('{"a":[1,"é"]}', '{\n  "a": [\n    1,\n    "é"\n  ]\n}'),
        (b'{"a":1}', '{\n  "a": 1\n}'),
        ("{", "{"),
        ("", ""),
        (b"\xff\x00x", "\\xff\\u0000x"),
        ("a\u202eb\u200bc", "a\\u202eb\\u200bc"),
        ('"\\ud800"', '"\\ud800"'),
        ("line\n\ttwo", "line\n\ttwo"),
        ("\U000e0001", "\\U000e0001"),
        ("<b>日本語", "<b>日本語"),
    ],
)
def test_a_payload_is_laid_out_and_nothing_in_it_acts(payload: str | bytes, shown: str) -> None:
    assert readable(payload) == shown


def test_json_that_is_nested_too_deep_is_shown_as_it_is() -> None:
    assert readable("[" * 50_000) == "[" * 50_000


def test_a_long_payload_is_cut_and_says_so() -> None:
    assert readable("x" * (SHOWN + 7)) == "x" * SHOWN + "\n… and 7 more characters"


@pytest.mark.parametrize(
    ("post", "shown"),
    [
        (Post(images=2, images_with_alt=1, has_video=0), "2 images, 1 with alt text"),
        (Post(images=1, images_with_alt=0, has_video=1), "1 images, 0 with alt text, video"),
        (Post(images=0, has_video=1, embed_kind="video"), "video"),
        (Post(images=0, has_video=0, embed_kind="record"), "quote"),
        (Post(images=0, has_video=0, embed_kind="external"), "link"),
        (Post(images=0, has_video=0, embed_kind="recordWithMedia"), "quote with media"),
        (Post(images=0, has_video=0, embed_kind="other"), "other"),
        (Post(images=0, has_video=0, embed_kind=""), ""),
    ],
)
def test_the_media_of_a_post_are_told_in_words(post: Post, shown: str) -> None:
    assert PostAdmin(Post, admin.site).embeds(post) == shown


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"state": "queued", "next_at": T1}, T1),
        ({"state": "running", "next_at": T1, "leased_until": T2}, T2),
        ({"state": "running", "leased_until": T2}, T2),
        ({"state": "completed", "next_at": T1, "leased_until": T2}, None),
    ],
)
def test_a_backfill_that_goes_on_says_when(fields: dict[str, Any], shown: datetime | None) -> None:
    assert BackfillAdmin(Backfill, admin.site).next_try(Backfill(**fields)) == shown


def test_what_a_backfill_read_is_counted_once_it_has_read_something() -> None:
    shown = BackfillAdmin(Backfill, admin.site)
    progress = {"listed": 3, "written": 2, "removed": 1}
    assert [shown.counts(Backfill(progress=found)) for found in (progress, {})] == ["3 read, 2 written, 1 removed", ""]
