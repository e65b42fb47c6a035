"""The engine keeps to its limits, and uses them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from search.cleanup.engine.point_windows import DAY, HOUR
from search.cleanup.models import PointsSent
from search.cleanup.states import State
from tests.search.cleanup.engine.world import a_world, posts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


def fullest(window: timedelta) -> int:
    """The most points that were sent within any such time."""
    sent = list(PointsSent.objects.order_by("sent_at").values_list("sent_at", "points"))
    return max(sum(points for at, points in sent if start <= at < start + window) for start, _ in sent)


def test_no_hour_or_day_has_more_points_than_the_limit_and_nearly_all_are_used(tmp_path: Path) -> None:
    with a_world(tmp_path, per_hour=430, per_day=1_000) as world:
        world.account.repo.write(posts(1_900))
        began = world.clock.now
        done = world.to_end(world.confirmed("post"))
        assert (done.state, done.records_deleted) == (State.COMPLETED, 1_900)
        assert 0.95 * 430 <= fullest(HOUR) <= 430
        assert 0.95 * 1_000 <= fullest(DAY) <= 1_000
        # Two days' limits, less the last hours: the second day ends when its points are sent.
        assert timedelta(days=1) <= world.clock.now - began <= timedelta(days=1, hours=4)
        assert sum(PointsSent.objects.values_list("points", flat=True)) == 1_900


def test_creations_cost_three_points(tmp_path: Path) -> None:
    with a_world(tmp_path, per_hour=300, per_day=30_000) as world:
        world.account.repo.write(posts(150))
        before = world.account.repo.keys
        done = world.to_end(world.confirmed("post"))
        world.clock.move(days=2)
        PointsSent.objects.all().delete()
        undone = world.undo(done)
        assert (undone.state, world.account.repo.keys) == (State.COMPLETED, before)
        assert fullest(HOUR) == 300
        assert [len(call.body["writes"]) for call in world.server.asked("applyWrites")][1:] == [100, 50]


def test_points_of_another_job_of_the_account_count(tmp_path: Path) -> None:
    with a_world(tmp_path, per_hour=100, per_day=30_000) as world:
        world.account.repo.write(posts(150))
        first = world.confirmed("post")
        PointsSent.objects.create(did=world.account.did, sent_at=world.clock.now, points=60)
        PointsSent.objects.create(did="did:plc:another", sent_at=world.clock.now, points=60)
        world.step(first)
        assert len(world.server.asked("applyWrites")[0].body["writes"]) == 40
        waiting = world.stored(first)
        assert waiting.reason == "The limit of writes in an hour or a day is used up."
        assert waiting.next_at == world.clock.now + timedelta(hours=1)
