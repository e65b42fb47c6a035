"""Who passes the gate of a private feed, also when that cannot be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Rkey
from feeds.ranking.feed import Definition, FeedUnavailable
from feeds.serving.private_gate import may_read
from labels import membership
from labels.models import Label
from tests import builders as b
from tests.away import default_away, redis_away
from tests.feeds.kind_cases import PUBLISHER

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
