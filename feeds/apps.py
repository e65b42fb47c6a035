"""The app of the feed generator."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_save


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        from apikeys import feed_choices
        from feeds import checks, definitions, first_member, signals  # noqa: F401 - checks register themselves
        from feeds.label_uses import feeds_by_label
        from feeds.serving.authors_to_fill import ranked_authors
        from feeds.usage import admin_pages, counting  # noqa: F401 - read models register themselves
        from indexer.index.needed_actors import TO_FILL
        from labels import feed_names
        from labels.models import ActorLabel
        from labels.uses import LABEL_USES

        post_save.connect(first_member.switch_on, sender=ActorLabel)
        signals.page_read.connect(counting.count_page_read)
        feed_choices.FEEDS.provide(definitions.with_members)
        feed_names.FEEDS.provide(definitions.names)
        LABEL_USES.provide(feeds_by_label)
        TO_FILL.provide(ranked_authors, order=20)
