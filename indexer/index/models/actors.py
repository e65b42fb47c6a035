"""Handle, account state and profile of an actor: they change independently and arrive in any order."""

from __future__ import annotations

from clickhouse_backend.models import DateTime64Field, StringField, UInt8Field, UInt64Field
from django.db import models

from atsite.core.clickhouse.models import ReadModel


class ActorIdentity(ReadModel):
    """The handle of an actor."""

    did = StringField(primary_key=True)
    handle = StringField()
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "actor_identities"
        verbose_name_plural = "actor identities"


class IdentityChange(ReadModel):
    """That the identity of an actor changed in an event that names no handle: the newest such event."""

    did = StringField(primary_key=True)
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "identity_changes"


class ActorAccount(ReadModel):
    """Whether an account is active, and why not."""

    did = StringField(primary_key=True)
    active = UInt8Field()
    status = StringField(low_cardinality=True)
    time_us = UInt64Field()
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "actor_accounts"


class ActorProfile(ReadModel):
    """The profile record of an actor."""

    did = StringField(primary_key=True)
    display_name = StringField()
    description = StringField()
    avatar = StringField()
    time_us = UInt64Field()
    version = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta:
        managed = False
        db_table = "actor_profiles"


class ActorFill(ReadModel):
    """What the site asked about an actor; `version` is when, in microseconds, as is `due_us`, the next time.

    `handle_us` is how old the handle counts: docs/decisions/0053-handles.md.
    """

    did = StringField(primary_key=True)
    handle = StringField()
    display_name = StringField()
    source = StringField(low_cardinality=True)
    due_us = UInt64Field()
    handle_us = UInt64Field()
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "actor_fills"


class ActorHandle(ReadModel):
    """That an actor has, or had, a handle (in lower case); in the order of handles."""

    pk = models.CompositePrimaryKey("handle", "did")
    handle = StringField()
    did = StringField()
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "actor_handles"


class ActorCounts(ReadModel):
    """What an AppView told of an actor's numbers, and when (`version`, microseconds)."""

    did = StringField(primary_key=True)
    followers = UInt64Field()
    follows = UInt64Field()
    posts = UInt64Field()
    source = StringField(low_cardinality=True)
    version = UInt64Field()

    class Meta:
        managed = False
        db_table = "actor_counts"
        verbose_name_plural = "actor counts"


class RepoFloor(ReadModel):
    """The version below which everything of a did is dead."""

    did = StringField(primary_key=True)
    floor = UInt64Field()
    reason = StringField(low_cardinality=True)

    class Meta:
        managed = False
        db_table = "repo_floors"


class Purge(ReadModel):
    """The floor below which the rows of a did have been deleted."""

    did = StringField(primary_key=True)
    floor = UInt64Field()
    purged_at = DateTime64Field(precision=6)

    class Meta:
        managed = False
        db_table = "purges"
