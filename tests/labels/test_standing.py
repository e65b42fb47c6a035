"""Whether a reader has a label and the version of the label, read in one question."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.copies.clickhouse_copies import copy_due
from labels import label_versions, membership
from labels.models import ActorLabel, Label
from labels.standing import Standing, Standings
from tests import builders as b
from tests.away import clickhouse_away, redis_away

if TYPE_CHECKING:
    import redis

    from atsite.core.atproto.syntax import Did


@pytest.fixture(autouse=True)
def labels(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> None:
    """Alice has one label, Bob the other; Carol none, which Redis knows."""
    for label, did in (("mpls", b.ALICE), ("other", b.BOB)):
        Label.objects.get_or_create(name=label)
        membership.assign(label, did, by="test")
    membership.has_label(b.CAROL, "mpls")


def standings(*asked: tuple[str, Did | None]) -> list[Standing | None]:
    """The answers to questions that are asked together."""

    async def ask() -> list[Standing | None]:
        each = Standings()
        return list(await asyncio.gather(*(each.of(label, did) for label, did in asked)))

    return asyncio.run(ask())


def version(label: str = "mpls") -> bytes:
    stored = kv.client().get(label_versions.version_key(label))
    assert isinstance(stored, bytes)
    return stored


def test_readers_learn_their_standing_and_the_version_of_each_label() -> None:
    mpls, other = version(), version("other")
    assert mpls != other
    assert standings(("mpls", b.ALICE), ("mpls", b.CAROL), ("other", b.BOB), ("other", None), ("mpls", b.ALICE)) == [
        Standing("mpls", True, mpls),
        Standing("mpls", False, mpls),
        Standing("other", True, other),
        Standing("other", None, other),
        Standing("mpls", True, mpls),
    ]


def test_a_version_changes_with_the_members_of_its_label_and_never_returns() -> None:
    seen, other = [version()], version("other")
    for change in (membership.assign, membership.remove, membership.assign, membership.remove):
        change("mpls", b.DAN, by="test")
        seen.append(version())
    assert len(set(seen)) == 5
    assert version("other") == other


def test_a_version_changes_only_once_the_copy_of_the_members_is_written() -> None:
    before = version()
    with clickhouse_away():
        membership.assign("mpls", b.DAN, by="test")
    assert version() == before
    assert copy_due(ActorLabel) == 1
    assert version() != before


def test_a_reader_that_redis_does_not_know_is_left_to_the_database() -> None:
    assert standings(("mpls", b.DAN), ("mpls", b.ALICE)) == [None, Standing("mpls", True, version())]
    kv.client().delete(label_versions.version_key("mpls"))
    assert standings(("mpls", b.ALICE)) == [None]
    assert standings(("mpls", b.ALICE)) == [Standing("mpls", True, version())]  # stored for the next one
    assert 0 < kv.client().ttl(label_versions.version_key("mpls")) <= 24 * 3600


def test_nobody_has_a_standing_while_redis_is_away_and_a_change_is_reported_as_late() -> None:
    with redis_away():
        assert standings(("mpls", b.ALICE), ("other", None)) == [None, None]
        change = membership.assign("mpls", b.DAN, by="test")
    assert change.late == (
        "Saved, but Redis does not answer: the change can take up to 30 seconds to apply everywhere.",
    )
