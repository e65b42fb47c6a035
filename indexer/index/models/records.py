"""The records of the network, one row per key, and tables derived from them by subject and by actor."""

from __future__ import annotations

from clickhouse_backend.models import (
    ArrayField,
    DateField,
    DateTime64Field,
    DateTimeField,
    StringField,
    UInt8Field,
    UInt64Field,
)
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class RepoRecord(ReadModel):
    """A raw event as Jetstream sent it."""

    pk = models.CompositePrimaryKey("collection", "repo", "rkey", "rev")
    repo = StringField()
    collection = StringField(low_cardinality=True)
    rkey = StringField()
    operation = StringField(low_cardinality=True)
    rev = StringField()
    cid = StringField()
    record_json = StringField()
    time_us = UInt64Field()
    version = UInt64Field()
    source = StringField(low_cardinality=True)
    stored_at = DateTimeField()
    day = DateField()

    class Meta(ReadModel.Meta):
        db_table = "repo_records"


class PostColumns(ReadModel):
    """The columns that a post has in its table and in the views."""

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

    class Meta:
        abstract = True


class Post(PostColumns):
    """A post; `eligible` says whether it may be in a newest-first list, `words` is what searches compare."""

    pk = models.CompositePrimaryKey("rkey", "did")
    words = StringField()
    backfilled = UInt8Field()
    deleted = UInt8Field()
    uri = StringField()
    eligible = UInt8Field()
    sort_at = DateTime64Field(precision=6)

    class Meta(ReadModel.Meta):
        db_table = "posts"


class PostByActor(ReadModel):
    """The keys of posts, by author."""

    pk = models.CompositePrimaryKey("did", "rkey")
    did = StringField()
    rkey = StringField()
    is_reply = UInt8Field()
    time_us = UInt64Field()
    version = UInt64Field()
    deleted = UInt8Field()

    class Meta(ReadModel.Meta):
        db_table = "posts_by_actor"


class SubjectOfPost(ReadModel):
    """What likes and reposts have in common: an actor, and the post it is about."""

    rkey = StringField()
    did = StringField()
    subject_uri = StringField()
    time_us = UInt64Field()
    version = UInt64Field()
    backfilled = UInt8Field()
    deleted = UInt8Field()
    subject_did = StringField()
    eligible = UInt8Field()

    class Meta:
        abstract = True


class Like(SubjectOfPost):
    """A like of a post."""

    pk = models.CompositePrimaryKey("rkey", "did")

    class Meta(ReadModel.Meta):
        db_table = "likes"


class Repost(SubjectOfPost):
    """A repost of a post."""

    pk = models.CompositePrimaryKey("rkey", "did")

    class Meta(ReadModel.Meta):
        db_table = "reposts"


class SubjectOfActor(ReadModel):
    """What follows and blocks have in common: an actor, and the actor it is about."""

    did = StringField()
    rkey = StringField()
    subject_did = StringField()
    time_us = UInt64Field()
    version = UInt64Field()
    deleted = UInt8Field()

    class Meta:
        abstract = True


class Follow(SubjectOfActor):
    """A follow of an actor."""

    pk = models.CompositePrimaryKey("did", "rkey")

    class Meta(ReadModel.Meta):
        db_table = "follows"


class Block(SubjectOfActor):
    """A block of an actor."""

    pk = models.CompositePrimaryKey("did", "rkey")

    class Meta(ReadModel.Meta):
        db_table = "blocks"


class Engagement(ReadModel):
    """A like, repost, reply or quote, by the post it is about; includes retracted ones (see Retraction)."""

    pk = models.CompositePrimaryKey("subject_rkey", "subject_uri", "kind", "did", "rkey")
    subject_rkey = StringField()
    subject_uri = StringField()
    kind = StringField(low_cardinality=True)
    did = StringField()
    rkey = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "engagement"


class Follower(ReadModel):
    """A follow, by the actor it is about; includes retracted ones (see Retraction)."""

    pk = models.CompositePrimaryKey("subject_did", "did", "rkey")
    subject_did = StringField()
    did = StringField()
    rkey = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "followers"


class Blocker(ReadModel):
    """A block, by its subject."""

    pk = models.CompositePrimaryKey("subject_did", "did", "rkey")
    subject_did = StringField()
    did = StringField()
    rkey = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "blockers"


class Retraction(ReadModel):
    """A delete or an update: it retracts the engagement of its key below its version."""

    pk = models.CompositePrimaryKey("kind", "rkey", "did")
    kind = StringField(low_cardinality=True)
    rkey = StringField()
    did = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "retractions"
