"""The figures that the documents promise, written once more: a test that imports a figure cannot see that it is wrong.

What a figure does is tested where it is used. If you change one, change the document that names it in the same commit.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

MINUTE, HOUR, DAY = 60, 3600, 86_400
MINUTE_US, HOUR_US = MINUTE * 1_000_000, HOUR * 1_000_000

#: docs/invariants.md, 12 and below, and docs/architecture.md: how soon a change takes effect.
EFFECT = {
    "feeds.ranking.liveness:SECONDS": 0.5,
    "feeds.serving.ready_pages:READY_SECONDS": 0.45,
    "atsite.core.copies.redis_cache:LIFE_SECONDS": 30,
    "atsite.core.copies.process_copies:COUNTER_SECONDS": 0.5,
    "atsite.core.copies.process_copies:RELOAD_SECONDS": 0.5,
    "atsite.core.copies.process_copies:LIFE_SECONDS": 30.0,
    "indexer.index.do_not_index:LOOK_SECONDS": 0.5,
    "indexer.stream.batch:Limits.age": 1.0,
    "indexer.stream.subscription:POLL_SECONDS": 0.5,
}
#: docs/invariants.md, 1 to 7 and 13: the stream.
STREAM = {
    "indexer.stream.unreadable_stream:WINDOW": 1_000,
    "indexer.stream.unreadable_stream:DEAD_MAX": 500,
    "indexer.stream.stopping:HARD_END": 9.0,
    "indexer.stream.service:FINAL_FLUSH": 6.0,
    "indexer.stream.service:READY_SILENCE": 60.0,
    "indexer.stream.batch:Limits.rows": 200_000,
    "indexer.stream.batch:Limits.bytes": 128_000_000,
    "indexer.stream.writer:QUEUE_BYTES": 96_000_000,
    "indexer.stream.position:AHEAD_US": 2 * MINUTE_US,
    "indexer.stream.position:AGREE_EVENTS": 100,
    "indexer.stream.position:AGREE_SECONDS": 60.0,
    "indexer.stream.decode:MAX_AHEAD_US": 5 * MINUTE_US,
    "indexer.stream.decode:MAX_CID": 256,
    "indexer.stream.decode:MAX_STATUS": 64,
    "indexer.stream.decode:MAX_DETAIL": 200,
    "indexer.stream.sink:RETRY_FIRST": 0.2,
    "indexer.stream.sink:RETRY_MAX": 10.0,
    "indexer.stream.sink:JUDGED_FROM": 100,
    "indexer.stream.sink:REFUSED_PART_MAX": 0.01,
    "indexer.stream.sink:TIMED_OUT": (159, 160),
    "indexer.stream.jetstream:PING_AFTER": 20.0,
    "indexer.stream.jetstream:DEAD_AFTER": 40.0,
    "indexer.stream.jetstream:SILENT_AFTER": 60.0,
    "indexer.stream.jetstream:RECONNECT_OVERLAP_US": 5_000_000,
    "indexer.index.gaps:SLACK_US": 5_000_000,
    "indexer.index.checkpoint:OVERLAP_US": MINUTE_US,
    "indexer.index.checkpoint:OTHER_HOST_US": 5 * MINUTE_US,
    "indexer.index.checkpoint:UNSYNCED_US": MINUTE_US,
    "indexer.index.floors:CLOCKS_AHEAD_US": 5 * MINUTE_US,
    "indexer.index.floors:HELD_BEHIND_US": 10 * MINUTE_US,
    "indexer.index.stream_state:REPORTS_END_SECONDS": 15.0,
    "indexer.index.purge:LOOK_BACK": timedelta(days=2),
    "indexer.index.missing_retractions:LOOK_BACK": timedelta(days=2),
    "indexer.index.stats:REWRITTEN_DAYS": 7,
    "atsite.core.kv.lease:SECONDS": 10.0,
}
#: docs/security.md and docs/architecture.md: what anyone may cause to be stored, and how long it stays.
BOUNDS = {
    "atsite.core.identity.stored_keys:FRESH": timedelta(hours=24),
    "atsite.core.identity.stored_keys:RENEW_AFTER": timedelta(hours=5),
    "atsite.core.identity.did_cache:FOUND_SECONDS": 6 * HOUR,
    "atsite.core.identity.did_cache:ABSENT_SECONDS": 5 * MINUTE,
    "atsite.core.identity.proven_readers:PROVEN_SECONDS": 30 * DAY,
    "atsite.core.identity.proven_readers:PROVEN_MAX": 100_000,
    "atsite.core.identity.signing_keys:MEMORY_SECONDS": 60.0,
    "atsite.core.identity.signing_keys:MEMORY_SIZE": 10_000,
    "atsite.core.identity.lookup_budget:SLOT_SECONDS": 2.0,
    "atsite.core.web.auth:PATIENCE_SECONDS": 1.0,
    "atsite.core.web.auth:MORE_PATIENCE_SECONDS": 1.5,
    "atsite.core.web.body_limit:BODY_MAX": 262_144,
    "atsite.core.web.body_limit:BODY_SECONDS": 10.0,
    "atsite.supervision.serving:HEAD_SECONDS": 10,
    "atsite.core.outgoing.client:MAX_BYTES": 262_144,
    "atsite.core.outgoing.client:TIMEOUT_SECONDS": 5.0,
    "atsite.core.outgoing.client:MAX_REDIRECTS": 3,
    "atsite.core.embedded.logs:LOG_BYTES": 20_000_000,
    "atsite.core.kv.rate_limit:CALLERS_MAX": 10_000,
    "atsite.core.kv.quick:ANSWER_SECONDS": 0.5,
    "atsite.core.kv.quick:PAUSE_SECONDS": 1.0,
    "atsite.dashboard.login_throttle:PER_ADDRESS": 10,
    "atsite.dashboard.login_throttle:PER_NAME": 30,
    "apikeys.auth:WRONG_KEYS_MAX": 30,
    "apikeys.keys:SECRET_BYTES": 32,
    "apikeys.models:DEFAULT_RATE": 600,
    "apikeys.rotation:OVERLAP_DEFAULT": DAY,
    "apikeys.usage:KEPT_HOURS": 48,
    "feeds.usage.counting:KEPT_DAYS": 32,
    "feeds.usage.counting:FLUSH_SECONDS": 1.0,
    "feeds.usage.interactions:INTERACTIONS_MAX": 500,
    "feeds.usage.interactions:CONTEXT_MAX": 2_000,
    "feeds.usage.interactions:REQUEST_ID_MAX": 100,
    "feeds.usage.interactions_outbox:WAITING_MAX": 16_000_000,
    "feeds.usage.interactions_outbox:OF_ONE_SENDER_MAX": 2_000_000,
    "feeds.usage.interactions_outbox:FLUSH_SECONDS": 1.0,
    "search.posts.recently_shown:REMEMBERED": 10_000,
    "search.posts.recently_shown:_SECONDS": 24 * HOUR,
    "search.web.schemas:DAYS_MAX": 366,
    "search.tools.repo_export:EXPORT_SECONDS": 15 * MINUTE,
    "search.web.tools_api:PAGES_AT_ONCE": 10,
    "labels.network_lists:PAGE_BYTES": 2_000_000,
    "labels.network_lists:READ_SECONDS": 20.0,
    "search.stats.cached:CACHE_SECONDS": HOUR,
    "search.stats.lookback:EXACT_MAX": 2_000,
    "search.stats.lookback:ERROR": 0.01,
    "search.stats.site_stats:AUDIENCE_EVERY": timedelta(days=1),
    "indexer.index.stats.audience:COVERED": timedelta(days=30),
    "indexer.index.stats.periods:HOURS_MAX": 90 * 24,
    "labels.bulk_plan:MAX_LINES": 5_000,
    "django.conf:settings.SESSION_COOKIE_AGE": 14 * DAY,
    "django.conf:settings.SECURE_CONTENT_TYPE_NOSNIFF": True,
    "django.conf:settings.SESSION_COOKIE_HTTPONLY": True,
    "django.conf:settings.SESSION_COOKIE_SAMESITE": "Lax",
    "django.conf:settings.CSRF_COOKIE_SAMESITE": "Lax",
    "django.conf:settings.DEBUG": False,
}
#: docs/architecture.md and the README: the feeds, their pages and their rankings.
FEEDS = {
    "atsite.core.page_limits:FEED_DEFAULT": 50,
    "atsite.core.page_limits:FEED_MAX": 100,
    "atsite.core.page_limits:SEARCH_DEFAULT": 25,
    "atsite.core.page_limits:SEARCH_MAX": 100,
    "atsite.core.page_limits:MEMBERS_DEFAULT": 100,
    "atsite.core.page_limits:MEMBERS_MAX": 1_000,
    "feeds.ranking.generations:IDLE": 30 * MINUTE_US,
    "feeds.ranking.generations:LIFE": 6 * HOUR_US,
    "feeds.ranking.generations:TOUCH": 30_000_000,
    "feeds.ranking.generations:COPIED_POSTS": 8_000_000,
    "feeds.ranking.generations:COPY_POSTS": 50,
    "feeds.ranking.ranking:SIZE_MAX": 3_000,
    "feeds.ranking.cursor:POSITION_MAX": 1_000_000,
    "feeds.ranking.computed:AT_ONCE": 2,
    "feeds.ranking.refresh:BUDGET_SECONDS": 30,
    "feeds.ranking.refresh:LOCK_SECONDS": 150,
    "feeds.kinds.likes_ranking:LIKES_HOURS": 72,
    "feeds.kinds.hot:GRAVITY": 1.8,
    "feeds.kinds.hot:HOURS_ADDED": 2,
    "feeds.backtests:DAYS": 14,
    "feeds.kinds.search_newest:SIZE": 1_000,
    "feeds.kinds.search_newest:CLOCK_SKEW": 2 * MINUTE_US,
    "feeds.kinds.search_ranking:SIZE": 1_000,
    "feeds.kinds.search_ranking:HITS_MAX": 20_000,
    "feeds.ranking.tails:IDLE": 10 * MINUTE_US,
    "feeds.ranking.tails:COPY": 1_000_000,
    "feeds.ranking.tails:STALE": 55_000_000,
    "feeds.kinds.label:CLOCK_SKEW": 2 * MINUTE_US,
    "feeds.kinds.label:REPOST_DAYS": 7,
    "feeds.serving.reading:PERSONAL_CACHE": "private, no-store",
    "feeds.serving.page_threads:PAGES": 16,
    "feeds.serving.page_threads:RANKING_SECONDS": 3.0,
    "feeds.serving.ready_pages:SIZE": 2_000,
    "search.posts.search:CLOCK_SKEW_MICROS": 2 * MINUTE_US,
    "indexer.fill.queries:AGE_US": HOUR_US,
    "indexer.backfill.run:DAYS": 30,
    "indexer.backfill.repo:INACTIVE_SECONDS": 24 * 3600.0,
}
FIGURES: dict[str, Any] = {**EFFECT, **STREAM, **BOUNDS, **FEEDS}


def found(place: str) -> Any:
    """What is at `module:name`."""
    module, _, names = place.partition(":")
    value: Any = import_module(module)
    for name in names.split("."):
        value = getattr(value, name)
    if hasattr(value, "__set__"):  # the default of a dataclass with slots
        value = getattr(getattr(import_module(module), names.split(".")[0])(), names.split(".")[1])
    return value


@pytest.mark.parametrize("place", FIGURES)
def test_a_figure_is_as_the_documents_say(place: str) -> None:
    assert found(place) == FIGURES[place]


@pytest.mark.parametrize(
    ("place", "field", "low", "default", "high"),
    [
        ("feeds.serving.schemas:SkeletonQuery", "limit", 1, 50, 100),
        ("search.web.post_schemas:SearchPostsQuery", "limit", 1, 25, 100),
        ("search.web.schemas:StatsQuery", "days", 1, 30, 366),
        ("feeds.members.schemas:MembersQuery", "limit", 1, 100, 1_000),
        ("labels.schemas:LabelMembersQuery", "limit", 1, 100, 1_000),
    ],
)
def test_a_question_has_the_bounds_and_the_default_of_the_documents(
    place: str, field: str, low: int, default: int, high: int
) -> None:
    told = found(place).model_json_schema()["properties"][field]
    assert (told["minimum"], told["default"], told["maximum"]) == (low, default, high)
