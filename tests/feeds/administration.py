"""The admin of feeds for tests: the site's feeds, a publisher, and someone who is logged in."""

from __future__ import annotations

import html
import re
from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client

from atsite.core.config import load
from feeds.models import FeedDefinition
from feeds.serving import registry
from labels import blocks
from tests.feeds.kind_cases import PUBLISHER

if TYPE_CHECKING:
    import pytest

FEEDS = "/admin/feeds/feeddefinition/"
SITE = load({"ATSITE_ENVIRONMENT": "test", "FEED_ACTOR_DID": PUBLISHER, "FEED_MIN_LIKES": "7"})


def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first feeds, in a process that knows whose they are and holds no copy of anything."""
    for module in (
        "serving.registry",
        "validation",
        "admin.feeds",
        "admin.forms",
        "admin.page_base",
        "backtests",
        "publishing.actions",
    ):
        monkeypatch.setattr(f"feeds.{module}.config", SITE)
    import_module("feeds.migrations.0104_first_feeds").add(apps, None)
    registry._data.cache_clear()
    registry._copy.drop()
    blocks.invalidate()


def browser(name: str = "editor", *permissions: str) -> Client:
    """Someone with these permissions; without any, who may do everything."""
    if permissions:
        user = User.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    else:
        user = User.objects.create_superuser(name)
    client = Client()
    client.force_login(user)
    return client


def page_of(rkey: str, page: str = "change") -> str:
    return f"{FEEDS}{FeedDefinition.objects.get(rkey=rkey).pk}/{page}/"


def content(client: Client, page: str) -> str:
    """The text of a page, which must open."""
    response = client.get(page)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def form_of(content: str) -> dict[str, str]:
    """What the form on a page would send as it is, the empty row of a list left out."""
    (form,) = re.findall(r'<form[^>]*id="feeddefinition_form".*?</form>', content, re.DOTALL)
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        fields = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        box = fields.get("type") in ("checkbox", "radio")
        unticked = box and not re.search(r"\schecked(?=[\s>])", tag)
        if "name" in fields and "__prefix__" not in fields["name"] and not unticked:
            sent[fields["name"]] = fields.get("value", "on" if box else "")
    for name, options in re.findall(r'<select[^>]*name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)"[^>]*selected', options)
        sent[name] = chosen[0] if chosen else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)".*?>(.*?)</textarea>', form, re.DOTALL):
        sent[name] = text.strip()
    sent.pop("csrfmiddlewaretoken", None)
    return sent
