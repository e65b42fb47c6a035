"""Walks pages of the admin in a browser and says what is wrong with their look.

A page is loaded once, then seen at a desk and on a phone, in light and in dark. Pictures of all that are kept when
ATSITE_SCREENSHOTS is set.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse

from apikeys.models import ApiKey
from atsite.core.clickhouse.admin import address as address_of
from atsite.core.clickhouse.models import ReadModel
from feeds.kinds import KINDS
from feeds.models import FeedDefinition
from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import State
from tests.admin.addresses import of_models
from tests.admin.chromium import DESK, PHONE
from tests.admin.world import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from tests.admin.addresses import Address
    from tests.admin.chromium import Browser

JUDGE = Path(__file__).with_name("looking.js").read_text("utf-8")
FEED = "admin:feeds_feeddefinition_"
#: Not pages: a download, and what only answers a POST.
NO_PAGES = {
    "labels_actorlabel_export", "labels_actorlabel_restore", "labels_actorlabel_fetch", "apikeys_apikey_end_old",
    "feeds_feeddefinition_refresh", "indexer_deadletter_retry", "feeds_feeddefinition_block",
    "feeds_feeddefinition_refuse", "feeds_feeddefinition_query", "feeds_feeddefinition_trial",
    "feeds_feeddefinition_why", "feeds_feeddefinition_backtest",
}  # fmt: skip
#: Pages that are alike for every model are looked at for these.
ALIKE = {
    "_history": ("feeds_feeddefinition", "apikeys_apikey", "auth_user"),
    "_simple_history": ("feeds_feeddefinition", "apikeys_apikey"),
    "_delete": ("labels_actorlabel", "feeds_feeddefinition", "auth_user"),
}
#: Rows of the network whose page is more than their columns below each other, and one that is not.
LOOKED_INTO = {"post", "actor", "deadletter", "streamgap", "repofloor", "reporecord", "feedusage", "like"}
#: A feed of each kind, one of them private.
FEEDS = ("bangers", "rehearsals", "singers", "top-1h", "whats-hot")
SCREENSHOTS = "ATSITE_SCREENSHOTS"


def pages(*, of_the_network: bool) -> Iterator[tuple[str, str]]:
    """Name and address of the pages of what the network says, or of all others: for a row of each model."""
    for page in of_models():
        if issubclass(page.model, ReadModel) == of_the_network and not _left_out(page):
            row = _row(page.model, versioned=page.name.endswith("_simple_history"))
            if row is not None or not page.parameters:
                yield page.name, page.url(quote(_key(row)), other=_other(page.name, row))
    if of_the_network:
        yield "indexer_post_nothing", reverse("admin:indexer_post_changelist") + "?q=zzzz"
        return
    yield from (("start", reverse("admin:index")), ("password", reverse("admin:password_change")))
    yield "labels_actorlabel_nothing", reverse("admin:labels_actorlabel_changelist") + "?q=nobody-is-called-so"
    for key in ApiKey.objects.all():
        yield f"key_{key.pk}", reverse("admin:apikeys_apikey_change", args=(key.pk,))
    failed = RepoCleanupJob.objects.filter(state=State.FAILED)[0]
    for each in ("change", "retry"):
        yield f"cleanup_failed_{each}", reverse(f"admin:cleanup_repocleanupjob_{each}", args=(failed.pk,))
    yield from _feeds()


def _feeds() -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        yield f"feed_add_{kind}", reverse(f"{FEED}add") + f"?kind={kind}"
    for feed in FeedDefinition.objects.filter(rkey__in=FEEDS):
        for page in ("change", "preview"):
            yield f"feed_{page}_{feed.rkey}", reverse(f"{FEED}{page}", args=(feed.pk,))
    used = FeedDefinition.objects.get(rkey="whats-hot")
    yield "feed_used", reverse(f"{FEED}use", args=(used.pk,))
    found = FeedDefinition.objects.get(rkey="rehearsals")
    yield "feed_counted", reverse(f"{FEED}backtest", args=(found.pk,))
    yield "feed_why_empty", reverse(f"{FEED}why", args=(found.pk,))
    pinned = FeedDefinition.objects.get(rkey="bangers")
    for number, listed in enumerate(pinned.posts.order_by("position")[:2]):
        yield f"feed_why_{number}", reverse(f"{FEED}why", args=(found.pk,)) + f"?post={listed.uri}"
    post = pinned.posts.order_by("position")[0].uri
    for page in ("block", "refuse"):
        yield f"feed_{page}", reverse(f"{FEED}{page}", args=(pinned.pk,)) + f"?what=author&uri={post}"
    switched = FeedDefinition.objects.get(rkey="singers")
    yield "feed_kind_switched", reverse(f"{FEED}change", args=(switched.pk,)) + "?kind=static"


def _left_out(page: Address) -> bool:
    """Whether it is no page, nobody may open it (what the network says is only looked at), or it is like another."""
    model = page.model._meta
    if page.name in NO_PAGES:
        return True
    if issubclass(page.model, ReadModel):
        closed = page.name.endswith(("_add", "_delete", "_history"))
        return closed or (page.name.endswith("_change") and model.model_name not in LOOKED_INTO)
    kept = next((kept for ending, kept in reversed(ALIKE.items()) if page.name.endswith(ending)), None)
    return kept is not None and model.label_lower.replace(".", "_") not in kept


def _row(model: Any, *, versioned: bool) -> Any:
    if versioned:
        return next((row for row in model.objects.all() if row.history.exists()), None)
    if issubclass(model, ReadModel):
        shown = admin.site._registry[model]
        return model.objects.order_by(*(shown.ordering or ())).first()
    return model.objects.first()


def _key(row: Any) -> str:
    if row is None:
        return ""
    return address_of(row) if isinstance(row, ReadModel) else str(row.pk)


def _other(name: str, row: Any) -> str:
    if name.endswith("_simple_history"):
        return str(row.history.first().pk)
    return str(PEOPLE[5])


def look(browser: Browser, name: str, path: str) -> list[str]:
    """Open a page and see it in each way; what is wrong, in sentences."""
    browser.said.clear()
    page = browser.page
    answer = page.goto(browser.url + path)
    status = answer.status if answer else 0
    if status == HTTPStatus.FORBIDDEN:
        return []  # rows that nobody adds or deletes by hand
    wrong = [] if status == HTTPStatus.OK else [f"status {status}"]
    if page.title() == "owned":
        wrong.append("a script of a stranger ran")
    for width in (DESK, PHONE):
        wrong += [f"{width}, {sentence}" for sentence in _seen(browser, name, width)]
    return [f"{name}: {sentence}" for sentence in (*wrong, *browser.said)]


def _seen(browser: Browser, name: str, width: int) -> list[str]:
    browser.resize(width)
    wrong = []
    if (wide := browser.overflow()) > 0:
        wrong.append(f"scrolls sideways by {wide} px")
    for scheme in ("light", "dark"):
        browser.page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        wrong += [f"{scheme}: {sentence}" for sentence in browser.page.evaluate(JUDGE)]
        if os.environ.get(SCREENSHOTS):
            browser.shot(f"{name}-{scheme}")
    return wrong


def with_words_of(
    words: tuple[str, ...], browser: Browser, found: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Those of the pages on which the server writes one of the words."""
    for name, path in found:
        text = browser.page.context.request.get(browser.url + path).text()
        if any(word in text for word in words):
            yield name, path
