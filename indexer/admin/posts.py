"""Indexed posts in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.utils.html import format_html

from atsite.core.clickhouse.admin import register
from indexer.admin.actor_queries import POSTS_SHOWN, keys_of_posts
from indexer.admin.columns import NamedRows, foreign, moment, moment_of_rkey, moment_of_version
from indexer.index import models

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from indexer.index.models import Post

#: Characters of a text in the list; the page of a post has all.
EXCERPT: Final = 160
#: The protocol's embed kinds, in words.
EMBEDS: Final = {"record": "quote", "external": "link", "recordWithMedia": "quote with media"}


@register(models.Post)
class PostAdmin(NamedRows):
    newest_first = True
    list_display = ("posted", "who", "excerpt", "embeds", "is_eligible")
    search_prefix_fields = ("rkey", "did")
    search_help_text = (
        f"Enter an at-uri, a handle or did (its newest {POSTS_SHOWN} posts), or the beginning of a record key."
    )
    fields = (
        "uri", "who", "posted", "body", "embeds", "langs", "tags", "mentions", "links", "labels", "parent_uri",
        "root_uri", "quote_uri", "is_eligible", "created_at", "committed", "seen", "backfilled", "cid",
    )  # fmt: skip

    @admin.display(description="posted (UTC)")
    def posted(self, post: Post) -> str:
        """The time in its record key."""
        return moment_of_rkey(post.rkey)

    @admin.display(description="text")
    def excerpt(self, post: Post) -> str:
        """The beginning of the text."""
        text = post.text if len(post.text) <= EXCERPT else post.text[:EXCERPT] + "…"
        return foreign(text)

    @admin.display(description="text")
    def body(self, post: Post) -> str:
        """All of the text."""
        return foreign(post.text)

    @admin.display(description="media")
    def embeds(self, post: Post) -> str:
        """Its images, video or other embed."""
        parts = [f"{post.images} images, {post.images_with_alt} with alt text"] if post.images else []
        parts += ["video"] if post.has_video else []
        return ", ".join(parts or [EMBEDS.get(post.embed_kind, post.embed_kind)])

    @admin.display(description="in newest-first lists")
    def is_eligible(self, post: Post) -> str:
        """Whether it is eligible: a plausible key, a valid date, and not an import."""
        look, word = ("at-ok", "yes") if post.eligible else ("at-quiet", "no: invalid key, invalid date or import")
        return format_html('<span class="at-state {}">{}</span>', look, word)

    def heading(self, row: Post) -> str:
        """The author."""
        return f"Post of {super().heading(row)}"

    @admin.display(description="committed (UTC)")
    def committed(self, post: Post) -> str:
        """The time of its version."""
        return moment_of_version(post.version)

    @admin.display(description="seen in the stream (UTC)")
    def seen(self, post: Post) -> str:
        """When the Jetstream host saw it."""
        return moment(post.time_us)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Finds posts of one author by their keys: the table is in time order, and its index on did reads too much."""
        lookup = self._lookup(search_term.strip())
        if set(lookup) != {"did"}:
            return queryset.filter(**lookup), False
        return queryset.filter(did=lookup["did"], rkey__in=keys_of_posts(lookup["did"])), False
