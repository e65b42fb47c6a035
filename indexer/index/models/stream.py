"""The state of the stream: checkpoints, gaps, dead letters, and daily statistics."""

from __future__ import annotations

from clickhouse_backend.models import DateField, DateTime64Field, StringField, UInt8Field, UInt64Field
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class IndexerCheckpoint(ReadModel):
    """How far the stream was durably indexed at `acked_at`."""

    host = StringField()
    protocol = StringField(low_cardinality=True)
    cursor = UInt64Field()
    time_us = UInt64Field()
    safe_cursor = UInt64Field()
    acked_at = DateTime64Field(precision=6, primary_key=True)

    engine = "MergeTree"

    class Meta(ReadModel.Meta):
        db_table = "indexer_checkpoints"


class StreamGap(ReadModel):
    """A stretch of the stream that a host could not replay."""

    pk = models.CompositePrimaryKey("from_us", "to_us", "host")
    from_us = UInt64Field()
    to_us = UInt64Field()
    host = StringField()
    reason = StringField(low_cardinality=True)
    noticed_at = DateTime64Field(precision=6)

    class Meta(ReadModel.Meta):
        db_table = "stream_gaps"


class DeadLetter(ReadModel):
    """An event that could not be indexed, and why."""

    id = StringField(primary_key=True)
    reason = StringField(low_cardinality=True)
    detail = StringField()
    payload = StringField()
    host = StringField()
    time_us = UInt64Field()
    stored_at = DateTime64Field(precision=6)
    version = UInt64Field()
    deleted = UInt8Field()

    class Meta(ReadModel.Meta):
        db_table = "dead_letters"


class Rereading(ReadModel):
    """A day of raw events to reprocess, because a rule changed (indexer.index.rereading)."""

    pk = models.CompositePrimaryKey("reason", "day")
    reason = StringField(low_cardinality=True)
    day = DateField()
    done = UInt8Field()
    changed_at = DateTime64Field(precision=6)

    class Meta(ReadModel.Meta):
        db_table = "rereadings"


class DailyStats(ReadModel):
    """The numbers of a day; X_actors are the distinct actors who created an X."""

    day = DateField(primary_key=True)
    posts = UInt64Field()
    posts_with_images = UInt64Field()
    images = UInt64Field()
    images_with_alt = UInt64Field()
    likes = UInt64Field()
    reposts = UInt64Field()
    follows = UInt64Field()
    blocks = UInt64Field()
    post_actors = UInt64Field()
    like_actors = UInt64Field()
    repost_actors = UInt64Field()
    follow_actors = UInt64Field()
    block_actors = UInt64Field()
    actors = UInt64Field()
    computed_at = DateTime64Field(precision=6)

    class Meta(ReadModel.Meta):
        db_table = "daily_stats"
        verbose_name_plural = "daily stats"
