"""What is done in the admin is what a running feed generator does from then on, over HTTP."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from apikeys.models import ApiKey
from atsite.core.atproto.syntax import Did
from labels import membership
from tests import builders as b
from tests.feeds import administration, readers
from tests.feeds.administration import browser, form_of, page_of
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE, Site
from tests.feeds.service import SKELETON
from tests.rows import store
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django.plugin import DjangoDbBlocker

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

KEYS = "/admin/apikeys/apikey/"


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One feed generator for all tests here; each has actors of its own."""
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def editor(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    administration.begin(monkeypatch)
    return browser()


def served(site: Site, feed: str, who: str | None = None) -> list[str]:
    """The posts of the feed's first page as `who` gets it."""
    headers = {} if who is None else {"Authorization": "Bearer " + token(KEY, iss=who, aud=SERVICE)}
    params = {"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}"}
    response = site.service.http.get(SKELETON, params=params, headers=headers)
    assert response.status_code in (200, 400), response.text  # 400: it has not learned of its feeds yet
    return [entry["post"] for entry in response.json().get("feed", [])]


def member(site: Site) -> Did:
    """Someone who carries the label of cl-tqsp."""
    did = Did(site.someone())
    membership.assign("tqsp", did, by="test")
    return did


def test_a_key_minted_in_the_admin_adds_a_member_until_it_is_revoked(site: Site, editor: Client) -> None:
    newcomer = Did(site.someone())
    post = b.post(newcomer, at=b.ago(hours=1))
    store(post)
    sent: dict[str, Any] = {"note": "script", "scopes": ["members"], "feeds": ["a-mpls"], "rate_limit": "60"}
    (text,) = re.findall(r'id="api-key"[^>]*>(\S+)</code>', editor.post(f"{KEYS}add/", sent).content.decode())

    def assign() -> tuple[int, Any]:
        params = {"feedName": "a-mpls", "handle": newcomer}
        answer = site.service.http.put("/assign_user_to_feed", params=params, headers={"X-API-Key": text})
        return answer.status_code, answer.json()

    until(lambda: assign()[0] == 200, assign)
    until(lambda: served(site, "a-mpls", newcomer) == [post.uri])
    editor.post(f"{KEYS}{ApiKey.objects.get().pk}/revoke/")
    assert assign() == (401, {"error": "AuthenticationRequired", "message": "this API key was revoked"})


def test_a_feed_edited_in_its_form_is_served_so_within_a_moment(site: Site, editor: Client) -> None:
    author = member(site)
    root = b.post(author, at=b.ago(hours=2), text="root")
    reply = b.post(author, at=b.ago(hours=1), text="reply", reply_to=root)
    store(root, reply)
    until(lambda: root.uri in served(site, "cl-tqsp"))
    assert reply.uri not in served(site, "cl-tqsp")
    page = page_of("cl-tqsp")
    sent = {**form_of(editor.get(page).content.decode()), "parameter_replies": "on"}
    assert editor.post(page, sent).status_code == 302
    until(lambda: reply.uri in served(site, "cl-tqsp"))
    assert reply.uri in html.unescape(editor.get(page_of("cl-tqsp", "preview")).content.decode())


def test_who_is_blocked_from_a_preview_leaves_the_served_feed(site: Site, editor: Client) -> None:
    spammer, unwilling = member(site), member(site)
    posts = [b.post(did, at=b.ago(minutes=5)) for did in (spammer, unwilling)]
    store(*posts)
    until(lambda: {post.uri for post in posts} <= set(served(site, "cl-tqsp")))
    said = {"what": "author", "where": "here", "note": "spam"}
    editor.post(f"{page_of('cl-tqsp', 'block')}?uri={quote(posts[0].uri)}", said)
    until(lambda: posts[0].uri not in served(site, "cl-tqsp"))
    assert posts[1].uri in served(site, "cl-tqsp")
    editor.post(f"{page_of('cl-tqsp', 'refuse')}?uri={quote(posts[1].uri)}", {"note": "asked"})
    until(lambda: posts[1].uri not in served(site, "cl-tqsp"))
