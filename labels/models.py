"""The published copy of labels in ClickHouse, which feeds join with posts."""

from __future__ import annotations

from clickhouse_backend.models import DateTime64Field, StringField, UInt8Field, UInt64Field
from django.db import models

from atsite.clickhouse.models import ReadModel


class PublishedLabel(ReadModel):
    """A label that somebody gave to an actor; `time_us` is its version."""

    pk = models.CompositePrimaryKey("label", "did")
    label = StringField(low_cardinality=True)
    did = StringField()
    note = StringField()
    created_by = StringField()
    created_at = DateTime64Field(precision=6)
    time_us = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta:
        managed = False
        db_table = "actor_labels"
