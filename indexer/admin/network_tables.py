"""The network's tables in the admin, read-only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html

from atsite.core.clickhouse.admin import ReadOnlyAdmin, register, table
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


table(models.PostByActor, "did", "rkey", "is_reply", search_prefix_fields=("did",))
table(models.Like, "rkey", "did", "subject_uri", "eligible", search_prefix_fields=("rkey",), newest_first=True)
table(models.Repost, "rkey", "did", "subject_uri", "eligible", search_prefix_fields=("rkey",), newest_first=True)
table(models.Follow, "did", "rkey", "subject_did", search_prefix_fields=("did",))
table(models.Block, "did", "rkey", "subject_did", search_prefix_fields=("did",))
table(models.Engagement, "subject_rkey", "subject_uri", "kind", "did", "rkey", search_prefix_fields=("subject_rkey",))
table(models.Follower, "subject_did", "did", "rkey", search_prefix_fields=("subject_did",))
table(models.Retraction, "kind", "rkey", "did", "version", search_prefix_fields=("kind",))
table(models.RecentPost, "posted_at", "did", "text", "langs", search_prefix_fields=("rkey",), newest_first=True)
table(models.ActorIdentity, "did", "handle", search_prefix_fields=("did",))
table(models.ActorAccount, "did", "active", "status", search_prefix_fields=("did",))
table(models.ActorProfile, "did", "display_name", "description", search_prefix_fields=("did",))
table(models.Purge, "did", "floor", "purged_at", search_prefix_fields=("did",))
table(models.Rereading, "day", "reason", "done", "changed_at")
# The list has these columns; the page of a day has all.
table(
    models.DailyStats,
    "day",
    *map(grouped, ("posts", "likes", "reposts", "follows", "blocks", "actors")),
    "computed_at",
    newest_first=True,
)
table(models.ActorFill, "did", "handle", "display_name", "source", search_prefix_fields=("did",))
table(models.ActorCounts, "did", "followers", "follows", "posts", "source", search_prefix_fields=("did",))
