"""Actors in the admin: names, account status, and counts with their source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.db.models.functions import Lower
from django.utils.html import format_html

from atsite.core.clickhouse.admin import LAST, KeyOrderedList, ReadOnlyAdmin, register
from atsite.core.clickhouse.errors import ClickHouseError
from indexer.admin import actor_queries
from indexer.admin.columns import NamedRows, foreign, moment
from indexer.index import models, pasted_identifiers
from indexer.index.handles import UNVERIFIED

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from indexer.admin.actor_queries import Seen, Told
    from indexer.index.models import Actor

#: The sources of counts, in words.
SOURCES: Final = {"appview": "the AppView", "pds": "the PDS"}
UNKNOWN: Final = "unknown: ClickHouse did not answer"


class ActorList(KeyOrderedList):
    """Finds the dids of the page first, because the view cannot be read in part."""

    queryset: QuerySet[Any]

    def get_results(self, request: HttpRequest) -> None:
        term = pasted_identifiers.search_term(self.query)
        if _is_handle(term):
            self.queryset = self.queryset.order_by(Lower("handle"), "did")
        else:
            wanted = max(1, self.page_num) * self.list_per_page + 1
            dids = actor_queries.last_dids(low=term, high=(term or "") + LAST, limit=wanted)
            self.queryset = self.queryset.filter(did__in=dids)
        super().get_results(request)


@register(models.Actor)
class ActorAdmin(NamedRows):
    list_display = ("did", "called", "shown_name", "status_badge", "followers", "follows", "posts", "counted")
    search_prefix_fields = ("did",)
    change_form_outer_before_template = "indexer/actor_labels.html"
    search_help_text = "Enter the beginning of a handle or a did."
    fields = (
        "did",
        "called",
        "shown_name",
        "status_badge",
        "about",
        "followers",
        "follows",
        "posts",
        "counted",
        "avatar",
    )

    @admin.display(description="handle")
    def called(self, actor: Actor) -> str:
        """The handle from the stream or the fill."""
        name = self._name(actor)
        return foreign(f"@{name.handle}") if name.handle else UNVERIFIED if name.unverified else "–"

    @admin.display(description="display name")
    def shown_name(self, actor: Actor) -> str:
        """The name that the actor chose."""
        return foreign(actor.display_name)

    @admin.display(description="description")
    def about(self, actor: Actor) -> str:
        """The actor's own description."""
        return foreign(actor.description)

    @admin.display(description="status")
    def status_badge(self, actor: Actor) -> str:
        """Whether the account is active, or why it is not."""
        inactive = actor.active == 0
        word = (actor.status or "inactive") if inactive else "active"
        return format_html('<span class="at-state {}">{}</span>', "at-look" if inactive else "at-ok", word)

    @admin.display(description="followers")
    def followers(self, actor: Actor) -> str:
        """The number of followers."""
        return _number(actor, "followers")

    @admin.display(description="follows")
    def follows(self, actor: Actor) -> str:
        """The number of accounts that the actor follows."""
        return _number(actor, "follows")

    @admin.display(description="posts")
    def posts(self, actor: Actor) -> str:
        """The number of posts."""
        return _number(actor, "posts")

    @admin.display(description="counted by")
    def counted(self, actor: Actor) -> str:
        """The source of the counts and their time."""
        counts = _counts_of(actor)
        if isinstance(counts, actor_queries.Told):
            return f"{SOURCES.get(counts.source, counts.source)}, {moment(counts.version)}"
        return str(actor.__dict__["since"])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ActorList

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the names, and the counts, from a few queries."""
        super().complete(request, rows)
        add_counts(rows)

    def _lookup(self, term: str) -> dict[str, Any]:
        """The filter for a search term: a profile address or at-uri, or the beginning of a did or handle."""
        term = pasted_identifiers.search_term(term)
        if not _is_handle(term):
            return ReadOnlyAdmin._lookup(self, term)
        return {"did__in": actor_queries.dids_by_handle(term)}


def _is_handle(term: str) -> bool:
    """Whether a search is for the beginning of a handle."""
    return bool(term) and not term.startswith("did:")


def add_counts(actors: list[Actor]) -> None:
    """Attach the known counts to each actor: those from an AppView, else those from the stream."""
    counts, since = _known({actor.did for actor in actors})
    for actor in actors:
        actor.__dict__["counts"] = counts.get(actor.did)
        actor.__dict__["since"] = since


def _known(dids: set[str]) -> tuple[dict[str, Told | Seen], str]:
    """The counts by did, and the description of the stream's counts."""
    counts: dict[str, Told | Seen] = {}
    if not dids:
        return counts, ""
    try:
        counts.update(actor_queries.told_counts(dids))
        rest = dids - counts.keys()
        seen = actor_queries.seen_counts(rest) if rest else {}
        counts.update({did: seen.get(did, actor_queries.Seen(did, 0, 0, 0)) for did in rest})
        day = actor_queries.first_day()
    except ClickHouseError:
        return counts, UNKNOWN
    return counts, f"the stream, since {day or 'this site began'}"


def _counts_of(actor: Actor) -> Told | Seen | None:
    if "counts" not in actor.__dict__:
        add_counts([actor])
    counts: Told | Seen | None = actor.__dict__["counts"]
    return counts


def _number(actor: Actor, name: str) -> str:
    counts = _counts_of(actor)
    return "–" if counts is None else f"{getattr(counts, name):,}"
