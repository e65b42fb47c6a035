"""The admin of feeds, with one form for each kind, made from the kind's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import TabularInline

from atsite.core.admin_base import warn
from atsite.core.config import config
from atsite.core.copies.admin import DecisionAdmin
from feeds.admin.forms import ListedPostForm, form_of
from feeds.admin.page_base import tabs_of
from feeds.admin.pages import FeedPages
from feeds.admin.post_warnings import not_indexed
from feeds.admin.readonly import PREFIX
from feeds.definition_from_row import definition_of
from feeds.kinds import KINDS, make_feed
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking.feed import LABEL, InvalidDefinition
from feeds.ranking.page_data import FeedData
from feeds.ranking.ranking import RankedFeed

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from feeds.admin.forms import FeedForm

#: Fields with a post, and what the post is called in messages.
POSTS = {"pinned_post": "The pinned post", "instructions_post": "The instructions post"}
#: Name of the hidden input with the kind that the form was made for.
KIND = "form_kind"


class ListedPostInline(TabularInline):  # type: ignore[misc]
    """The posts in the list of a static feed; other kinds ignore it."""

    model = PinnedPost
    form = ListedPostForm
    extra = 1


@admin.register(FeedDefinition)
class FeedDefinitionAdmin(FeedPages, DecisionAdmin):
    inlines = (ListedPostInline,)
    list_display = ("rkey", "display_name", "kind", "readers", "status")
    list_filter = ("kind", "visibility", "enabled")
    search_fields = ("rkey", "display_name", "description")
    fixed_fields = ("rkey", "publisher")  # another address is another feed
    own_pages = {**FeedPages.own_pages, "kind": "<int:pk>/kind/"}
    url_rights = {**FeedPages.url_rights, "feeds_feeddefinition_kind": "change"}
    change_form_before_template = "feeds/form_before.html"
    change_form_outer_before_template = "feeds/tabs.html"
    change_form_after_template = "feeds/form_after.html"

    @admin.display(description="readers")
    def readers(self, row: FeedDefinition) -> str:
        """Who can read the feed: everyone or the members."""
        return "members" if row.visibility == FeedDefinition.Visibility.PRIVATE else "everyone"

    @admin.display(description="state", ordering="enabled")
    def status(self, row: FeedDefinition) -> str:
        """Whether the feed is served, and if not, why."""
        if not row.enabled:
            return format_html('<span class="at-state at-quiet">{}</span>', problem_of(row))
        problem = problem_of(row)
        look, word = ("at-act", "not served") if problem else ("at-ok", "served")
        return format_html('<span class="at-state {}">{}</span> {}', look, word, problem)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The columns, with links to the pages of each feed that this user may open."""

        @admin.display(description="pages")
        def pages(row: FeedDefinition) -> str:
            links = [(address, title) for name, title, address in tabs_of(request, row) if name in ("preview", "use")]
            if (label := label_of(row)) and request.user.has_perm("labels.view_actorlabel"):
                query = urlencode({"label__name__exact": label})
                links.append((f"{reverse('admin:labels_actorlabel_changelist')}?{query}", "Members"))
            return format_html_join(" · ", '<a class="at-link" href="{}">{}</a>', links)

        return (*super().get_list_display(request), pages)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> type[FeedForm]:
        options["form"] = form_of(self._kind(request, obj))
        form: type[FeedForm] = super().get_form(request, obj, change=change, **options)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        kind = KINDS[self._kind(request, obj)]
        parameters = [PREFIX + each.name for each in kind.declared]
        readers = (
            [("Readers", {"fields": ["visibility", "instructions_post", "waits_for_members"]})]
            if kind.may_be_private
            else []
        )
        return [
            (None, {"fields": ["rkey", "display_name", "description", "enabled"]}),
            (f"Content: {kind.name}", {"fields": parameters, "description": kind.meaning}),
            *readers,
            ("Pinned post", {"fields": ["pinned_post"]}),
            ("Publisher", {"fields": ["publisher"]}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[type[ListedPostInline], ...]:
        return self.inlines if KINDS[self._kind(request, obj)].has_list else ()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose a kind first, then show its form."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self._chosen(request) not in KINDS:
            return self._page(request, None, "feeds/kinds.html", "Add a feed: which kind?", kinds=KINDS.values())
        response: HttpResponse = super().add_view(request, form_url, extra_context)
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        row = options.get("obj")
        kind = self._kind(request, row)
        context |= {
            "row": row,
            "tab": "settings",
            "tabs": tabs_of(request, row),
            "form_kind": kind,
            "switches_from": row.kind if row is not None and row.kind != kind else "",
            "ending": _ending(row, kind) if row is not None else [],
        }
        return super().render_change_form(request, context, **options)

    def save_model(self, request: HttpRequest, obj: FeedDefinition, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if any(name.startswith(PREFIX) for name in form.changed_data) and _is_ranked(obj):
            messages.info(request, "The ranking is refreshed within a minute. To refresh it now, open the preview.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save, then warn about new posts that are not indexed; this runs after the transaction."""
        super().save_related(request, form, formsets, change)
        named = {form.cleaned_data[name]: what for name, what in POSTS.items() if name in form.changed_data}
        for formset in formsets:
            saved = [*formset.new_objects, *(row for row, _ in formset.changed_objects)]
            named |= {row.uri: "A post in the list" for row in saved}
        named.pop("", None)
        if named:
            transaction.on_commit(lambda: warn(request, not_indexed(named)))

    def kind_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm a change of the kind: settings that the new kind does not have are lost."""
        row = FeedDefinition.objects.filter(pk=pk).first()
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._list()
        others = [kind for kind in KINDS.values() if kind.name != row.kind]
        title = f"Change the kind of {row.rkey}"
        return self._page(request, row, "feeds/kinds.html", title, kinds=others, ending=_ending(row, ""))

    def _kind(self, request: HttpRequest, row: FeedDefinition | None) -> str:
        """The kind of the form: from the submitted form, else the chosen one, else the row's."""
        asked = self._chosen(request)
        if asked in KINDS:
            return asked
        return row.kind if row is not None and row.kind in KINDS else next(iter(KINDS))

    @staticmethod
    def _chosen(request: HttpRequest) -> str:
        return str(request.POST.get(KIND) or request.GET.get("kind") or "")


def label_of(row: FeedDefinition) -> str:
    """The label of the feed's members; "" if it has none."""
    with_members = row.kind in KINDS and KINDS[row.kind].may_be_private
    stored = row.parameters if with_members and isinstance(row.parameters, dict) else {}
    return str(stored.get(LABEL) or "")


def _is_ranked(row: FeedDefinition) -> bool:
    """Whether it has a stored ranking, so that a change shows after the next refresh."""
    try:
        return isinstance(make_feed(definition_of(row, config), FeedData()), RankedFeed)
    except InvalidDefinition:  # no publisher yet, so it is not ranked
        return False


def problem_of(row: FeedDefinition) -> str:
    """Why a feed is not served; "" if it is."""
    if not row.enabled:
        return "switched off until its label has a member" if row.waits_for_members else "switched off"
    if not (row.publisher or config.feed_actor_did):
        return "FEED_ACTOR_DID is not set"
    try:
        make_feed(definition_of(row, config), FeedData())
    except InvalidDefinition as error:
        return str(error)
    return ""


def _ending(row: FeedDefinition, kind: str) -> list[str]:
    """The settings that are lost when the kind changes, in words."""
    if row.kind == kind:
        return []
    stored = row.parameters if isinstance(row.parameters, dict) else {}
    kept = {each.name for each in KINDS[kind].declared} if kind else set()
    ending = [f"{name.replace('_', ' ')}: {value}" for name, value in stored.items() if name not in kept]
    if row.visibility == FeedDefinition.Visibility.PRIVATE and not (kind and KINDS[kind].may_be_private):
        ending.append("private: everyone will be able to read this feed")
    return ending
