"""The views of recent posts, actors and follows."""

from __future__ import annotations

from clickhouse_backend.models import (
    DateTime64Field,
    Float64Field,
    StringField,
    UInt8Field,
    UInt64Field,
)
from django.db import models

from atsite.core.clickhouse.models import ReadModel
from indexer.index.models.records import PostColumns


class PostOfView(PostColumns):
    """A recent post; `posted_at` is the time of its rkey."""

    uri = StringField()
    posted_at = DateTime64Field(precision=6)

    engine = "View"

    class Meta:
        abstract = True


class RecentPost(PostOfView):
    """An eligible post of the last 72 hours."""

    pk = models.CompositePrimaryKey("rkey", "did")

    class Meta(ReadModel.Meta):
        db_table = "recent_posts"


class ScoredPost(PostOfView):
    """A recent root post with its live likes and reposts, and its score."""

    pk = models.CompositePrimaryKey("rkey", "did")
    likes = UInt64Field()
    reposts = UInt64Field()
    age_hours = Float64Field()
    score = Float64Field()

    class Meta(ReadModel.Meta):
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

    class Meta(ReadModel.Meta):
        db_table = "actors"


class FollowingCount(ReadModel):
    """How many accounts an actor follows."""

    did = StringField(primary_key=True)
    following = UInt64Field()

    engine = "View"

    class Meta(ReadModel.Meta):
        db_table = "following_counts"
