"""Blocking from a preview: a post or its author, in one feed or everywhere, or do-not-index; with a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from atsite.core.atproto.aturi import AtUri
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from atsite.core.roles import Right, demand
from feeds.admin import moderation, preview_queries
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


class BlockPages:
    """Mixin for the ModelAdmin of feeds; the URLs are in FeedPages."""

    if TYPE_CHECKING:

        def _viewed(self, request: HttpRequest, pk: int) -> FeedDefinition | None: ...
        def _page(
            self,
            request: HttpRequest,
            row: FeedDefinition | None,
            template: str,
            title: str,
            tab: str = "",
            **context: Any,
        ) -> HttpResponse: ...
        @staticmethod
        def _list() -> HttpResponse: ...
        @staticmethod
        def _to(row: FeedDefinition, page: str, query: str = "") -> HttpResponse: ...

    def block_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then block a post or its author."""
        demand(request, Right.PREVIEW_FEED)
        if not request.user.has_perm("labels.add_block"):
            raise PermissionDenied
        row, post = self._feed_and_post(request, pk)
        if row is None or post is None:
            return self._list() if row is None else self._to(row, "preview")
        form = BlockForm(request.POST or None, initial={"what": request.GET.get("what", POST)})
        if request.method != "POST" or not form.is_valid():
            return self._confirmation_page(request, row, post, "feeds/block.html", "Block", form)
        cleaned = form.cleaned_data
        done = moderation.block(
            post.uri if cleaned["what"] == POST else post.did,
            feed=row.rkey if cleaned["where"] == HERE else moderation.EVERYWHERE,
            by=request.user.get_username(),
            note=cleaned["note"],
        )
        where = "this feed" if cleaned["where"] == HERE else "every feed and search"
        what = "The post" if cleaned["what"] == POST else "The author"
        self._report(
            request, row, done, f"{what} is blocked in {where} from now on.", f"{what} was already blocked there."
        )
        return self._to(row, "preview", _query(request))

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then delete what is indexed of an author and index nothing more by them."""
        demand(request, Right.PURGE_AUTHOR)
        row, post = self._feed_and_post(request, pk)
        if row is None or post is None:
            return self._list() if row is None else self._to(row, "preview")
        form = DoNotIndexForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._confirmation_page(request, row, post, "feeds/refuse.html", "Do not index", form)
        try:
            done = moderation.do_not_index(
                AtUri.parse(post.uri).did,
                by=request.user.get_username(),
                note=form.cleaned_data["note"],
                now=timezone.now(),
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._to(row, "preview")
        message = "From now on nothing by the author is shown or indexed. What was indexed before is being deleted."
        self._report(request, row, done, message, "The author was already not indexed.")
        return self._to(row, "preview", _query(request))

    def _feed_and_post(self, request: HttpRequest, pk: int) -> tuple[FeedDefinition | None, PostKey | None]:
        """The feed and the post of the request. Raises PermissionDenied."""
        row = self._viewed(request, pk)
        try:
            return row, PostKey.of(AtUri.parse(request.GET.get("uri", "")))
        except InvalidSyntax:
            messages.error(request, "That is not the address of a post.")
            return row, None

    def _confirmation_page(
        self, request: HttpRequest, row: FeedDefinition, post: PostKey, template: str, title: str, form: forms.Form
    ) -> HttpResponse:
        author, known = _shown(post)
        context = {"form": form, "post": post, "author": author, "known": known, "back": _query(request)}
        return self._page(request, row, template, title, "preview", **context)

    def _report(self, request: HttpRequest, row: FeedDefinition, done: BlockResult, changed: str, before: str) -> None:
        if done.changed:
            self.log_change(request, row, changed)  # type: ignore[attr-defined]
            messages.success(request, changed)
        else:
            messages.info(request, before)
        for sentence in done.late:
            messages.warning(request, sentence)


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
