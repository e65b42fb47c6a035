"""Read models over the tables of conftest.py. They belong to the app `atsite`, which has no migrations."""

from __future__ import annotations

from clickhouse_backend.models import StringField, UInt8Field, UInt64Field
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class SampleLike(ReadModel):
    """Keyed by two columns, with soft deletes."""

    pk = models.CompositePrimaryKey("rkey", "did")
    rkey = StringField()
    did = StringField()
    subject_uri = StringField()
    version = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta:
        app_label = "channels"  # an installed app without migrations
        managed = False
        db_table = "test_likes"


class SampleActor(ReadModel):
    """Keyed by one column."""

    did = StringField(primary_key=True)
    handle = StringField()
    version = UInt64Field()

    class Meta:
        app_label = "channels"  # an installed app without migrations
        managed = False
        db_table = "test_actors"
