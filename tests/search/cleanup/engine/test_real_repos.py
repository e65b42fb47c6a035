"""Plans of repos that real servers exported."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from atsite.core.repo import open_repo
from search.cleanup.engine.batch_items import cut, units_of
from search.cleanup.engine.planning_step import Records, summary
from search.cleanup.planning.plan import make_plan
from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import Rules
from tests.core.repo.test_real_repos import DIDS

if TYPE_CHECKING:
    from pathlib import Path

    from search.cleanup.planning.plan import Plan

pytestmark = pytest.mark.shared_data

NOW_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000
ALL = Rules(types=frozenset(RecordType), delete_until_days_ago=0)


def planned(shared_data: Path, name: str, rules: Rules = ALL) -> Plan:
    with open_repo(shared_data / "cars" / f"{name}.car", DIDS[name], None) as repo:
        return make_plan(DIDS[name], Records(repo), rules, {}, NOW_US)


def uris(plan: Plan) -> list[str]:
    """What goes, gates included."""
    return [record.uri for record in plan.going] + [gate.uri for gate in plan.gates]


@pytest.mark.parametrize(("name", "records"), [("jetstream_repo", 20), ("fishyflip_test", 349)])
def test_each_record_goes_or_is_kept_once(shared_data: Path, name: str, records: int) -> None:
    plan = planned(shared_data, name)
    decided = [*uris(plan), *(kept.uri for kept in plan.kept)]
    assert plan.records == len(decided) == len(set(decided)) == records
    batches = list(cut(units_of(plan), 20))
    assert sorted(path for batch in batches for path, _ in batch) == sorted(
        uri[plan.path_start :] for uri in uris(plan)
    )


def test_posts_of_the_years_1024_and_3024_are_kept(shared_data: Path) -> None:
    kept = {each.uri.rpartition("/")[2]: each.reason for each in planned(shared_data, "fishyflip_test").kept}
    assert kept["3kmn7hqmxoo2r"] is kept["3kmn7kjacbq2p"] is Reason.UNDATABLE


def test_a_plan_of_a_real_repo_says_what_it_does(shared_data: Path) -> None:
    plan = planned(shared_data, "fishyflip_test")
    shown = summary(plan)
    assert shown["deletes"] == plan.deletes == len(plan.going) + shown["gates"]
    assert shown["gates"] == 9
    assert Counter(shown["kept_by_reason"]) == plan.kept_by_reason
    assert shown["oldest"] < shown["newest"] < "2026-11-01"
