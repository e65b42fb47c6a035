"""Walks pages of the admin in a browser and says what is wrong with their look, in light and in dark."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse

from apikeys.models import ApiKey
from atsite.clickhouse.admin import address as address_of
from atsite.clickhouse.models import ReadModel
from feeds.kinds import MEANINGS
from feeds.models import FeedDefinition
from tests.admin.addresses import of_models
from tests.admin.world import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.admin.addresses import Address
    from tests.admin.chromium import Browser

JUDGE = Path(__file__).with_name("looking.js").read_text("utf-8")
FEED = "admin:feeds_feeddefinition_"
#: Not pages: a download, and what only answers a POST.
NO_PAGES = {
    "labels_actorlabel_export", "labels_actorlabel_restore", "labels_actorlabel_fetch", "apikeys_apikey_end_old",
    "feeds_feeddefinition_refresh", "indexer_deadletter_retry", "feeds_feeddefinition_block",
    "feeds_feeddefinition_refuse",
}  # fmt: skip


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of every page there is, for a row of each model."""
    yield from (("start", reverse("admin:index")), ("password", reverse("admin:password_change")))
    for page in of_models():
        row = _row(page.model, versioned=page.name.endswith("_simple_history"))
        if page.name in NO_PAGES or (row is None and page.parameters) or _closed(page):
            continue
        yield page.name, page.url(quote(_key(row)), other=_other(page.name, row))
    yield from _feeds()
    for name, query in (("labels_actorlabel", "?q=nobody-is-called-so"), ("indexer_post", "?q=zzzz")):
        yield f"{name}_nothing", reverse(f"admin:{name}_changelist") + query


def _feeds() -> Iterator[tuple[str, str]]:
    for kind in MEANINGS:
        yield f"feed_add_{kind}", reverse(f"{FEED}add") + f"?kind={kind}"
    for feed in FeedDefinition.objects.all():
        for page in ("change", "preview", "use"):
            yield f"feed_{page}_{feed.rkey}", reverse(f"{FEED}{page}", args=(feed.pk,))
    pinned = FeedDefinition.objects.get(rkey="bangers")
    post = pinned.posts.order_by("position")[0].uri
    for page in ("block", "refuse"):
        yield f"feed_{page}", reverse(f"{FEED}{page}", args=(pinned.pk,)) + f"?what=author&uri={post}"
    switched = FeedDefinition.objects.get(rkey="singers")
    yield "feed_kind_switched", reverse(f"{FEED}change", args=(switched.pk,)) + "?kind=static"
    for key in ApiKey.objects.all():
        yield f"key_{key.pk}", reverse("admin:apikeys_apikey_change", args=(key.pk,))


def _closed(page: Address) -> bool:
    """Whether nobody may open it: what the network says is only looked at."""
    return issubclass(page.model, ReadModel) and page.name.endswith(("_add", "_delete", "_history"))


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
    """Open a page in light and in dark, keep a picture of each; what is wrong, in sentences."""
    browser.said.clear()
    page = browser.page
    answer = page.goto(browser.url + path)
    if answer is not None and answer.status == HTTPStatus.FORBIDDEN:
        return []  # rows that nobody adds or deletes by hand
    wrong = [] if answer is not None and answer.status < 400 else [f"status {answer.status if answer else None}"]
    if (wide := browser.overflow()) > 0:
        wrong.append(f"scrolls sideways by {wide} px")
    if "owned" in page.title():
        wrong.append("a script of a stranger ran")
    for scheme in ("light", "dark"):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        wrong += [f"{scheme}: {sentence}" for sentence in page.evaluate(JUDGE)]
        browser.shot(f"{name}-{scheme}")
    return [f"{name} ({browser.width}): {sentence}" for sentence in (*wrong, *browser.said)]
