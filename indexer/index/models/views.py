"""The views of recent posts, actors and follows."""

from __future__ import annotations

from clickhouse_backend.models import (
    ArrayField,
    DateTime64Field,
    Float64Field,
    StringField,
    UInt8Field,
    UInt64Field,
)
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class PostOfView(ReadModel):
    """The columns of a recent post; `posted_at` is the time of its rkey."""

    rkey = StringField()
    did = StringField()
    cid = StringField()
    text = StringField()
    langs = ArrayField(StringField(low_cardinality=True))
    tags = ArrayField(StringField())
    mentions = ArrayField(StringField())
    links = ArrayField(StringField())
    domains = ArrayField(StringField())
    parent_uri = StringField()
    root_uri = StringField()
    quote_uri = StringField()
    embed_kind = StringField(low_cardinality=True)
    images = UInt8Field()
    images_with_alt = UInt8Field()
    has_video = UInt8Field()
    labels = ArrayField(StringField(low_cardinality=True))
    created_at = DateTime64Field(precision=3, null=True)
    time_us = UInt64Field()
    version = UInt64Field()
    uri = StringField()
    posted_at = DateTime64Field(precision=6)

    engine = "View"

    class Meta:
        abstract = True


class RecentPost(PostOfView):
    """An eligible post of the last 72 hours."""

    pk = models.CompositePrimaryKey("rkey", "did")

    class Meta:
        managed = False
        db_table = "recent_posts"


class ScoredPost(PostOfView):
    """A recent root post with its live likes and reposts, and its score."""

    pk = models.CompositePrimaryKey("rkey", "did")
    likes = UInt64Field()
    reposts = UInt64Field()
    age_hours = Float64Field()
    score = Float64Field()

    class Meta:
        managed = False
        db_table = "recent_posts_with_score"


class Actor(ReadModel):
    """An actor; `active` is empty without an account event.

    `indexer.index.handles` finds the current owner of a handle, and whether it could be verified.
    """

    unread = frozenset({"handle_us", "unverified"})

    did = StringField(primary_key=True)
    handle = StringField()
    active = UInt8Field(null=True)
    status = StringField()
    display_name = StringField()
    description = StringField()
    avatar = StringField()

    engine = "View"

    class Meta:
        managed = False
        db_table = "actors"


class FollowingCount(ReadModel):
    """How many accounts an actor follows."""

    did = StringField(primary_key=True)
    following = UInt64Field()

    engine = "View"

    class Meta:
        managed = False
        db_table = "following_counts"
