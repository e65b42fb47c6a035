"""The network's tables in the admin, read-only."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.utils.html import format_html

from atsite.core.clickhouse.admin import ReadOnlyAdmin, register
from indexer.admin.columns import grouped
from indexer.admin.payloads import readable
from indexer.index import models


@register(models.RepoRecord)
class RepoRecordAdmin(ReadOnlyAdmin):
    list_display = ("collection", "repo", "rkey", "operation", "rev", "source", "stored_at")
    search_prefix_fields = ("collection",)
    fields = ("collection", "repo", "rkey", "operation", "content", "rev", "cid", "source", "stored_at", "day")

    @admin.display(description="record")
    def content(self, row: models.RepoRecord) -> str:
        """The record as indented JSON."""
        return format_html('<pre class="at-mono at-payload" tabindex="0">{}</pre>', readable(row.record_json))


@register(models.PostByActor)
class PostByActorAdmin(ReadOnlyAdmin):
    list_display = ("did", "rkey", "is_reply")
    search_prefix_fields = ("did",)


@register(models.Like, models.Repost)
class SubjectOfPostAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("rkey", "did", "subject_uri", "eligible")
    search_prefix_fields = ("rkey",)


@register(models.Follow, models.Block)
class SubjectOfActorAdmin(ReadOnlyAdmin):
    list_display = ("did", "rkey", "subject_did")
    search_prefix_fields = ("did",)


@register(models.Engagement)
class EngagementAdmin(ReadOnlyAdmin):
    list_display = ("subject_rkey", "subject_uri", "kind", "did", "rkey")
    search_prefix_fields = ("subject_rkey",)


@register(models.Follower)
class FollowerAdmin(ReadOnlyAdmin):
    list_display = ("subject_did", "did", "rkey")
    search_prefix_fields = ("subject_did",)


@register(models.Retraction)
class RetractionAdmin(ReadOnlyAdmin):
    list_display = ("kind", "rkey", "did", "version")
    search_prefix_fields = ("kind",)


@register(models.RecentPost)
class RecentPostAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("posted_at", "did", "text", "langs")
    search_prefix_fields = ("rkey",)


@register(models.ActorIdentity)
class ActorIdentityAdmin(ReadOnlyAdmin):
    list_display = ("did", "handle")
    search_prefix_fields = ("did",)


@register(models.ActorAccount)
class ActorAccountAdmin(ReadOnlyAdmin):
    list_display = ("did", "active", "status")
    search_prefix_fields = ("did",)


@register(models.ActorProfile)
class ActorProfileAdmin(ReadOnlyAdmin):
    list_display = ("did", "display_name", "description")
    search_prefix_fields = ("did",)


@register(models.Purge)
class PurgeAdmin(ReadOnlyAdmin):
    list_display = ("did", "floor", "purged_at")
    search_prefix_fields = ("did",)


@register(models.Rereading)
class RereadingAdmin(ReadOnlyAdmin):
    list_display = ("day", "reason", "done", "changed_at")


#: The columns of the list; the page of a day has all.
COUNTED: Final = ("posts", "likes", "reposts", "follows", "blocks", "actors")


@register(models.DailyStats)
class DailyStatsAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("day", *(grouped(name) for name in COUNTED), "computed_at")


@register(models.ActorFill)
class ActorFillAdmin(ReadOnlyAdmin):
    list_display = ("did", "handle", "display_name", "source")
    search_prefix_fields = ("did",)


@register(models.ActorCounts)
class ActorCountsAdmin(ReadOnlyAdmin):
    list_display = ("did", "followers", "follows", "posts", "source")
    search_prefix_fields = ("did",)
