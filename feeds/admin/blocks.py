"""Blocking from a preview: a post or its author, in one feed or everywhere, or do-not-index; with a confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from atsite.core.admin_base import warn
from atsite.core.atproto.aturi import AtUri
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from atsite.core.roles import Right, demand
from feeds.admin import moderation, preview_queries
from feeds.admin.page_base import FeedPage
from feeds.ranking.feed import PostKey
from indexer.index.handles import Name

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from feeds.admin.moderation import BlockResult
    from feeds.admin.preview_queries import PostText
    from feeds.models import FeedDefinition

NOTE_MAX: Final = 1000
POST, AUTHOR = "post", "author"
HERE, EVERYWHERE = "here", "everywhere"
Act = Callable[["FeedDefinition", PostKey, dict[str, Any], str], "Done"]


def _note() -> forms.CharField:
    return forms.CharField(
        max_length=NOTE_MAX,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        label="Note, for moderators",
    )


class BlockForm(forms.Form):
    """What is blocked, where, and why."""

    what = forms.ChoiceField(
        choices=[(POST, "This post"), (AUTHOR, "Everything by its author")],
        widget=UnfoldAdminRadioSelectWidget,
        label="Block",
    )
    where = forms.ChoiceField(
        choices=[(HERE, "In this feed"), (EVERYWHERE, "In every feed and in search")],
        widget=UnfoldAdminRadioSelectWidget,
        label="Where",
        initial=HERE,
    )
    note = _note()


class DoNotIndexForm(forms.Form):
    """The reason."""

    note = _note()


class Done(NamedTuple):
    """A result, and the sentences that say it: if it changed something, and if all was so before."""

    result: BlockResult
    changed: str
    unchanged: str


class BlockPages(FeedPage):
    """Mixin for the ModelAdmin of feeds; the URLs are in FeedPages."""

    def block_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then block a post or its author."""
        demand(request, Right.PREVIEW_FEED)
        if not request.user.has_perm("labels.add_block"):
            raise PermissionDenied
        return self._confirmed(request, pk, BlockForm, "feeds/block.html", "Block", _block)

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then delete what is indexed of an author and index nothing more by them."""
        demand(request, Right.PURGE_AUTHOR)
        return self._confirmed(request, pk, DoNotIndexForm, "feeds/refuse.html", "Do not index", _do_not_index)

    def _confirmed(
        self, request: HttpRequest, pk: int, form_class: type[forms.Form], template: str, title: str, act: Act
    ) -> HttpResponse:
        """The form; once it is sent, do what it says and return to the preview."""
        row, post = self._feed_and_post(request, pk)
        if row is None or post is None:
            return self._list() if row is None else self._to(row, "preview")
        form = form_class(request.POST or None, initial={"what": request.GET.get("what", POST)})
        if request.method != "POST" or not form.is_valid():
            author, known = _shown(post)
            context = {"form": form, "post": post, "author": author, "known": known, "back": _query(request)}
            return self._page(request, row, template, title, "preview", **context)
        try:
            done = act(row, post, form.cleaned_data, request.user.get_username())
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._to(row, "preview")
        if done.result.changed:
            self.log_change(request, row, done.changed)
            messages.success(request, done.changed)
        else:
            messages.info(request, done.unchanged)
        warn(request, done.result.late)
        return self._to(row, "preview", _query(request))

    def _feed_and_post(self, request: HttpRequest, pk: int) -> tuple[FeedDefinition | None, PostKey | None]:
        """The feed and the post of the request. Raises PermissionDenied."""
        row = self._viewed(request, pk)
        try:
            return row, PostKey.of(AtUri.parse(request.GET.get("uri", "")))
        except InvalidSyntax:
            messages.error(request, "That is not the address of a post.")
            return row, None


def _block(row: FeedDefinition, post: PostKey, cleaned: dict[str, Any], by: str) -> Done:
    blocked = moderation.block(
        post.uri if cleaned["what"] == POST else post.did,
        feed=row.rkey if cleaned["where"] == HERE else moderation.EVERYWHERE,
        by=by,
        note=cleaned["note"],
    )
    where = "this feed" if cleaned["where"] == HERE else "every feed and search"
    what = "The post" if cleaned["what"] == POST else "The author"
    return Done(blocked, f"{what} is blocked in {where} from now on.", f"{what} was already blocked there.")


def _do_not_index(row: FeedDefinition, post: PostKey, cleaned: dict[str, Any], by: str) -> Done:
    excluded = moderation.do_not_index(AtUri.parse(post.uri).did, by=by, note=cleaned["note"], now=timezone.now())
    message = "From now on nothing by the author is shown or indexed. What was indexed before is being deleted."
    return Done(excluded, message, "The author was already not indexed.")


def _query(request: HttpRequest) -> str:
    """The query that returns to the preview as the same reader."""
    reader = request.GET.get("as", "")
    return f"?{urlencode({'as': reader})}" if reader else ""


def _shown(post: PostKey) -> tuple[Name, PostText | None]:
    """The author's name and the post's text for the confirmation page; without them if ClickHouse is down."""
    try:
        names, texts = preview_queries.authors([post.did]), preview_queries.post_texts([post])
    except ClickHouseError:
        return Name(post.did), None
    return names.get(post.did, Name(post.did)), texts.get(post)
