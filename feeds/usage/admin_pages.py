"""Read-only admin pages for the usage of feeds, read from ClickHouse."""

from __future__ import annotations

from clickhouse_backend.models import DateField, DateTime64Field, StringField, UInt64Field
from django.db import models

from atsite.core.clickhouse.admin import table
from atsite.core.clickhouse.models import ReadModel


class FeedInteraction(ReadModel):
    """An interaction with a post of a feed, as a reader's app reported it."""

    pk = models.CompositePrimaryKey("feed", "received_at", "id")
    received_at = DateTime64Field(precision=3)
    #: Random, so that a block that is sent again replaces itself.
    id = UInt64Field()
    #: Record key of the feed; empty where the app did not say.
    feed = StringField(low_cardinality=True)
    #: At-uri of the post, and the event (app.bsky.feed.defs#interaction or unknown), as they were sent.
    item = StringField()
    event = StringField()
    feed_context = StringField()
    req_id = StringField()
    #: The pseudonym of the sender: a hash of the did, keyed with SECRET_KEY, in hexadecimal.
    sender = StringField()

    class Meta(ReadModel.Meta):
        db_table = "feed_interactions"


class FeedUsage(ReadModel):
    """The usage of one feed on one day, as counted by one counter in Redis."""

    pk = models.CompositePrimaryKey("feed", "day", "counter")
    feed = StringField(low_cardinality=True)
    day = DateField()
    counter = StringField()
    #: Pages that were read, and the different viewers (estimated).
    requests = UInt64Field()
    readers = UInt64Field()
    #: Interactions that were reported, and by how many different viewers (estimated).
    interactions = UInt64Field()
    senders = UInt64Field()
    #: requests + interactions: the version.
    counted = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "feed_usage"
        verbose_name_plural = "feed usage"


table(FeedInteraction, "feed", "received_at", "event", "item", search_prefix_fields=("feed",))
table(FeedUsage, "feed", "day", "requests", "readers", "interactions", "senders", search_prefix_fields=("feed",))
