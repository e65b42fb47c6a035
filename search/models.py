"""The published copy of clean-up jobs in ClickHouse: progress, never credentials."""

from __future__ import annotations

from clickhouse_backend.models import ArrayField, DateTime64Field, StringField, UInt8Field, UInt64Field

from atsite.clickhouse.models import ReadModel


class PublishedCleanupJob(ReadModel):
    """How far a clean-up of a repo is; `time_us` is its version."""

    job_id = StringField(primary_key=True)
    did = StringField()
    state = StringField(low_cardinality=True)
    collections = ArrayField(StringField(low_cardinality=True))
    requested_by = StringField()
    records_planned = UInt64Field()
    records_deleted = UInt64Field()
    created_at = DateTime64Field(precision=6)
    finished_at = DateTime64Field(precision=6, null=True)
    time_us = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta:
        managed = False
        db_table = "repo_cleanup_jobs"
