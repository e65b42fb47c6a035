"""The published copy of API keys in ClickHouse: names and rights, never a secret or its hash."""

from __future__ import annotations

from clickhouse_backend.models import ArrayField, DateTime64Field, StringField, UInt8Field, UInt64Field

from atsite.clickhouse.models import ReadModel


class PublishedApiKey(ReadModel):
    """What a key is called and may do; `time_us` is its version."""

    key_id = StringField(primary_key=True)
    name = StringField()
    owner = StringField()
    scopes = ArrayField(StringField(low_cardinality=True))
    created_at = DateTime64Field(precision=6)
    expires_at = DateTime64Field(precision=6, null=True)
    revoked_at = DateTime64Field(precision=6, null=True)
    time_us = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta:
        managed = False
        db_table = "api_keys"
