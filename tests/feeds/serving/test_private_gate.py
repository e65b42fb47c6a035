"""Who passes the gate of a private feed, also when that cannot be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did, Rkey
from feeds.ranking.feed import Definition, FeedPage, FeedUnavailable
from feeds.serving.private_gate import is_shared, may_read
from labels import membership
from labels.models import Label
from labels.standing import Standing
from tests import builders as b
from tests.away import default_away, redis_away
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.serving.test_skeleton import Fixed

if TYPE_CHECKING:
    from pathlib import Path

    import redis

PRIVATE = Definition(PUBLISHER, Rkey("a-mpls"), "label", "Ours", "", {"label": "mpls"}, private=True)
PUBLIC = Definition(PUBLISHER, Rkey("cl-mpls"), "label", "Everyone's", "", {"label": "mpls"})


@pytest.fixture
def members(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> None:
    """Alice has the label of both feeds; Bob has another."""
    for label, did in (("mpls", b.ALICE), ("other", b.BOB)):
        Label.objects.get_or_create(name=label)
        membership.assign(label, did, by="test")


def test_a_private_feed_is_read_by_those_with_its_label_and_nobody_else(members: None) -> None:
    assert [may_read(PRIVATE, who) for who in (b.ALICE, b.BOB, b.CAROL, None)] == [True, False, False, False]
    assert [may_read(PUBLIC, who) for who in (b.ALICE, b.BOB, b.CAROL, None)] == [True, True, True, True]
    membership.remove("mpls", b.ALICE, by="test")
    assert not may_read(PRIVATE, b.ALICE)


def test_a_private_feed_is_unavailable_to_members_and_others_when_nothing_can_decide(
    members: None, tmp_path: Path
) -> None:
    with default_away(tmp_path), redis_away():
        for who in (b.ALICE, b.BOB):
            with pytest.raises(FeedUnavailable, match=r"^the members of this feed cannot be read now$"):
                may_read(PRIVATE, who)
        assert not may_read(PRIVATE, None)
        assert may_read(PUBLIC, b.BOB)


def standing(label: str, is_member: bool | None) -> Standing:
    return Standing(label, is_member, b"v")


@pytest.mark.parametrize(
    ("definition", "viewer", "known", "expected"),
    [
        (PRIVATE, b.ALICE, standing("mpls", True), True),
        (PRIVATE, b.ALICE, standing("mpls", False), True),
        (PRIVATE, None, standing("mpls", None), True),
        # The feed was public when the standing was asked for: only this reader's label decides now.
        (PRIVATE, b.ALICE, standing("mpls", None), False),
        (PRIVATE, b.ALICE, standing("other", True), False),
        (PRIVATE, b.ALICE, None, False),
        (PUBLIC, b.ALICE, standing("mpls", None), True),
        (PUBLIC, None, standing("mpls", None), True),
        (PUBLIC, None, standing("other", None), False),
    ],
)
def test_a_page_is_shared_by_readers_of_one_standing_if_that_alone_decides(
    definition: Definition, viewer: Did | None, known: Standing | None, expected: bool
) -> None:
    feed = Fixed(FeedPage(), definition=definition, depends_on_viewer=definition.private)
    assert is_shared(feed, viewer, known) is expected
    # A kind whose pages differ among the members, too.
    assert is_shared(Fixed(FeedPage(), definition=PUBLIC, depends_on_viewer=True), viewer, known) is False


def test_a_standing_that_was_just_read_decides_without_asking_again(members: None) -> None:
    assert may_read(PRIVATE, b.BOB, standing("mpls", True))
    assert not may_read(PRIVATE, b.ALICE, standing("mpls", False))
    assert not may_read(PRIVATE, None, standing("mpls", True))
    assert may_read(PRIVATE, b.ALICE, standing("mpls", None))
