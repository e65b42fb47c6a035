"""Handle, account state and profile of an actor: they change independently and arrive in any order."""

from __future__ import annotations

from clickhouse_backend.models import ArrayField, DateTime64Field, DateTimeField, StringField, UInt8Field, UInt64Field
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class ActorIdentity(ReadModel):
    """The handle of an actor."""

    did = StringField(primary_key=True)
    handle = StringField()
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_identities"
        verbose_name_plural = "actor identities"


class IdentityChange(ReadModel):
    """The newest event in which an actor's identity changed without a handle."""

    did = StringField(primary_key=True)
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "identity_changes"


class ActorAccount(ReadModel):
    """Whether an account is active, or why it is not."""

    did = StringField(primary_key=True)
    active = UInt8Field()
    status = StringField(low_cardinality=True)
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_accounts"


class ActorProfile(ReadModel):
    """The profile record of an actor."""

    did = StringField(primary_key=True)
    display_name = StringField()
    description = StringField()
    avatar = StringField()
    labels = ArrayField(base_field=StringField(low_cardinality=True))
    time_us = UInt64Field()
    version = UInt64Field()
    deleted = UInt8Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_profiles"


class ActorFill(ReadModel):
    """The fetched names of an actor; `version` is when they were fetched, `due_us` when they are next (microseconds).

    `handle_us` is the age that the handle counts with: docs/decisions/0053-handles.md.
    """

    did = StringField(primary_key=True)
    handle = StringField()
    display_name = StringField()
    source = StringField(low_cardinality=True)
    due_us = UInt64Field()
    handle_us = UInt64Field()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_fills"


class ActorHandle(ReadModel):
    """An actor that has, or had, a handle (in lower case); ordered by handle."""

    pk = models.CompositePrimaryKey("handle", "did")
    handle = StringField()
    did = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_handles"


class ActorCounts(ReadModel):
    """An actor's counts as an AppView reported them, and when (`version`, microseconds)."""

    did = StringField(primary_key=True)
    followers = UInt64Field()
    follows = UInt64Field()
    posts = UInt64Field()
    source = StringField(low_cardinality=True)
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_counts"
        verbose_name_plural = "actor counts"


class PersonFact(ReadModel):
    """One fact of an actor that a search of people needs: indexer/sql/tables/people_facts.sql."""

    pk = models.CompositePrimaryKey("did", "fact")
    did = StringField()
    fact = StringField(low_cardinality=True)
    value = StringField()
    words = StringField()
    version = UInt64Field()

    class Meta(ReadModel.Meta):
        db_table = "people_facts"


class PopularBeginning(ReadModel):
    """The most followed actors whose names have a popular beginning."""

    prefix = StringField(primary_key=True)
    dids = ArrayField(base_field=StringField())
    followers = ArrayField(base_field=UInt64Field())
    computed_at = DateTimeField()

    class Meta(ReadModel.Meta):
        db_table = "people_popular"


class RepoFloor(ReadModel):
    """The version below which everything of a did is dead."""

    did = StringField(primary_key=True)
    floor = UInt64Field()
    reason = StringField(low_cardinality=True)

    class Meta(ReadModel.Meta):
        db_table = "repo_floors"


class Purge(ReadModel):
    """The floor below which the rows of a did have been deleted."""

    did = StringField(primary_key=True)
    floor = UInt64Field()
    purged_at = DateTime64Field(precision=6)

    class Meta(ReadModel.Meta):
        db_table = "purges"
