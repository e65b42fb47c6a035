"""The sidebar, grouped by what an operator does. A new page is one line here.

Each line is shown to users with its permission; the page itself checks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse_lazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    def allowed(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return allowed


def rows(title: str, icon: str, model: str) -> dict[str, Any]:
    """The list of a model ("labels.label"), for users who may view it. Icons: https://fonts.google.com/icons."""
    app, name = model.split(".")
    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may(f"{app}.view_{name}"), "model": model}


def page(title: str, icon: str, url_name: str, permission: str) -> dict[str, Any]:
    """A separate page ("admin:…") for users with `permission`."""
    return {"title": title, "icon": icon, "link": reverse_lazy(url_name), "permission": _may(permission)}


def group(title: str, *items: dict[str, Any], folded: bool = False) -> dict[str, Any]:
    """`folded` groups open by a click, and automatically on their own pages."""
    return {"title": title, "items": list(items), "separator": True, "collapsible": folded}


NAVIGATION: list[dict[str, Any]] = [
    {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    group(
        "Community",
        rows("Labels", "label", "labels.label"),
        rows("Members", "group", "labels.actorlabel"),
        rows("Bulk changes", "group_add", "labels.bulkchange"),
        rows("Earlier posts", "history", "indexer.backfill"),
        rows("Blocks", "block", "labels.block"),
        rows("Not indexed", "visibility_off", "indexer.refusedactor"),
    ),
    group("Feeds", rows("Feeds", "rss_feed", "feeds.feeddefinition")),
    group(
        "API keys",
        rows("Keys", "key", "apikeys.apikey"),
        rows("Key usage", "bar_chart", "apikeys.apikeyusage"),
    ),
    group(
        "Clean-up",
        rows("Clean-up jobs", "cleaning_services", "cleanup.repocleanupjob"),
        rows("Refused accounts", "do_not_disturb_on", "cleanup.refusedaccount"),
        rows("Clean-up audit", "fact_check", "cleanup.cleanupaudit"),
        rows("Purged accounts", "delete_sweep", "indexer.purge"),
    ),
    group(
        "Indexed data",
        rows("Posts", "article", "indexer.post"),
        rows("Actors", "person", "indexer.actor"),
        rows("Dead letters", "report", "indexer.deadletter"),
        rows("Gaps", "broken_image", "indexer.streamgap"),
        rows("Floors", "vertical_align_bottom", "indexer.repofloor"),
        rows("Daily statistics", "monitoring", "indexer.dailystats"),
    ),
    group(
        "All tables",
        rows("Raw records", "database", "indexer.reporecord"),
        rows("Recent posts", "schedule", "indexer.recentpost"),
        rows("Posts by actor", "person_search", "indexer.postbyactor"),
        rows("Likes", "favorite", "indexer.like"),
        rows("Reposts", "repeat", "indexer.repost"),
        rows("Follows", "person_add", "indexer.follow"),
        rows("Blocks in the network", "person_off", "indexer.block"),
        rows("Engagement", "thumb_up", "indexer.engagement"),
        rows("Followers", "groups", "indexer.follower"),
        rows("Retractions", "undo", "indexer.retraction"),
        rows("Handles", "alternate_email", "indexer.actoridentity"),
        rows("Accounts", "badge", "indexer.actoraccount"),
        rows("Profiles", "account_box", "indexer.actorprofile"),
        rows("Filled-in names", "contact_page", "indexer.actorfill"),
        rows("Filled-in counts", "pin", "indexer.actorcounts"),
        rows("Checkpoints", "bookmark", "indexer.indexercheckpoint"),
        folded=True,
    ),
    group(
        "People and roles",
        rows("People", "manage_accounts", "auth.user"),
        rows("Roles", "admin_panel_settings", "auth.group"),
    ),
    group("History", rows("Change log", "history", "admin.logentry")),
]
