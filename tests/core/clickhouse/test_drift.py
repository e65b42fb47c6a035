"""The comparison of models with tables finds what was changed, and nothing else."""

from __future__ import annotations

import pytest

from atsite.core.clickhouse import door
from tests.core.clickhouse.drift import declared_columns, differences
from tests.core.clickhouse.read_models import SampleActor, SampleLike


@pytest.mark.usefixtures("likes", "actors")
def test_models_that_agree_with_their_tables_differ_in_nothing() -> None:
    assert differences([SampleLike, SampleActor]) == []


def test_the_declared_columns_are_those_of_the_table() -> None:
    assert declared_columns(SampleActor) == {"did": "String", "handle": "String", "version": "UInt64"}


@pytest.mark.usefixtures("clickhouse")
def test_a_missing_table_is_named() -> None:
    assert differences([SampleLike]) == ["SampleLike: there is no table test_likes"]


@pytest.mark.parametrize(
    ("ddl", "found"),
    [
        ("ALTER TABLE test_likes ADD COLUMN more UInt8", ["SampleLike: the column more UInt8 is not in the model"]),
        ("ALTER TABLE test_likes DROP COLUMN subject_uri", ["SampleLike.subject_uri: the table has no such column"]),
        (
            "ALTER TABLE test_likes MODIFY COLUMN subject_uri Nullable(String)",
            ["SampleLike.subject_uri: the column is Nullable(String), the model says String"],
        ),
        (
            "CREATE OR REPLACE TABLE test_likes (rkey String, did String, subject_uri String, version UInt64,"
            " deleted UInt8) ENGINE = MergeTree ORDER BY (did, rkey)",
            [
                "SampleLike: test_likes is a MergeTree, the model says ReplacingMergeTree",
                "SampleLike: test_likes is sorted by (did, rkey), the model's key is (rkey, did)",
            ],
        ),
    ],
    ids=["added", "dropped", "nullable", "engine and key"],
)
@pytest.mark.usefixtures("likes")
def test_each_difference_is_named(ddl: str, found: list[str]) -> None:
    door.execute(ddl, name="tests.drift")
    assert differences([SampleLike]) == found


@pytest.mark.usefixtures("likes")
def test_a_column_left_out_on_purpose_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    door.execute("ALTER TABLE test_likes ADD COLUMN more UInt8", name="tests.drift")
    monkeypatch.setattr(SampleLike, "unread", frozenset({"more"}))
    assert differences([SampleLike]) == []
