"""Blocks, as feeds and search see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError

from atsite.core.atproto.syntax import Did
from indexer.index.models import RefusedActor
from labels import blocks
from labels.blocks import Blocks, blocked
from labels.models import Block
from tests.labels.people import IMPOSSIBLE
from tests.waiting import until

if TYPE_CHECKING:
    import redis

MIRA, NOEL = Did("did:plc:miramiramiramiramiramira"), Did("did:plc:noelnoelnoelnoelnoelnoel")
POST = f"at://{NOEL}/app.bsky.feed.post/3kabcdefghij2"


@pytest.fixture(autouse=True)
def _empty(transactional_db: None, valkey: redis.Redis) -> None:
    blocks._copy.drop()


def test_nothing_is_blocked_at_first() -> None:
    assert blocked() == blocked("whats-hot") == Blocks()


def test_a_block_is_for_one_feed_or_for_everywhere() -> None:
    Block.objects.bulk_create([Block(subject=MIRA), Block(subject=POST, feed="whats-hot")])
    assert blocked("whats-hot") == Blocks(frozenset({MIRA}), frozenset({POST}))
    assert blocked("bangers") == blocked() == Blocks(frozenset({MIRA}))


def test_who_is_not_to_be_indexed_is_blocked_everywhere() -> None:
    RefusedActor.objects.create(did=NOEL)
    Block.objects.create(subject=MIRA, feed="whats-hot")
    assert blocked() == blocked("bangers") == Blocks(frozenset({NOEL}))
    assert blocked("whats-hot") == Blocks(frozenset({MIRA, NOEL}))
    RefusedActor.objects.get().delete()
    until(lambda: blocked() == Blocks())


def test_a_record_is_left_out_itself_or_with_its_author() -> None:
    found = Blocks(frozenset({MIRA}), frozenset({POST}))
    assert POST in found
    assert f"at://{MIRA}/app.bsky.feed.post/3kabcdefghij2" in found
    assert f"at://{NOEL}/app.bsky.feed.post/3kabcdefghij3" not in found


def test_changes_reach_a_process_that_holds_a_copy() -> None:
    assert blocked() == Blocks()
    block = Block.objects.create(subject=MIRA)
    until(lambda: blocked() == Blocks(frozenset({MIRA})), blocked)
    Block.objects.filter(pk=block.pk).update(subject=NOEL)
    until(lambda: blocked() == Blocks(frozenset({NOEL})), blocked)
    Block.objects.all().delete()
    until(lambda: blocked() == Blocks(), blocked)
    assert [entry.history_type for entry in Block.history.order_by("history_id")] == ["+", "~", "-"]


@pytest.mark.parametrize(
    "subject", ["mira.example.com", "at://mira.example.com/app.bsky.feed.post/3k", "at://x", "", *IMPOSSIBLE]
)
def test_a_subject_is_a_did_or_an_at_uri_by_did(subject: str) -> None:
    with pytest.raises(ValidationError):
        Block(subject=subject).full_clean()
