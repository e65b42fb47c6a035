"""From the browser to the reader: what an operator does in the admin is what a running feed generator does next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Did
from feeds.models import FeedDefinition
from labels import membership
from tests import builders as b
from tests.admin.chromium import browsing
from tests.feeds import administration, readers
from tests.feeds.administration import FEEDS, page_of
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE, Site
from tests.feeds.service import SKELETON
from tests.labels.people import RESOLVE
from tests.rows import store
from tests.test_services import Service
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from pytest_django.plugin import DjangoDbBlocker

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

KEYS = "/admin/apikeys/apikey/"


@pytest.fixture(scope="module")
def site(
    content_types: object, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One feed generator and its directory; each test has actors of its own."""
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def service(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    environment = {"PLC_URL": site.network.url, "HANDLE_RESOLVER_URL": site.network.url, "FEED_ACTOR_DID": PUBLISHER}
    with Service("admin", tmp_path_factory.mktemp("admin") / "log", ALLOW_LOOPBACK="1", **environment) as running:
        running.wait_until_up()
        yield running


@pytest.fixture(autouse=True)
def _feeds(browsed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


def someone(site: Site, handle: str) -> Did:
    """An actor whom the network knows by handle and by did."""
    did = Did(site.someone(handle=handle))
    site.network.answers[f"{RESOLVE}{handle}"] = {"did": did}
    return did


def served(site: Site, feed: str, who: str | None = None) -> list[str]:
    """The posts of the feed's first page as `who` gets it."""
    headers = {} if who is None else {"Authorization": "Bearer " + token(KEY, iss=who, aud=SERVICE)}
    params = {"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}"}
    response = site.service.http.get(SKELETON, params=params, headers=headers)
    assert response.status_code in (200, 400), response.text  # 400: it has not learned of its feeds yet
    return [entry["post"] for entry in response.json().get("feed", [])]


def shown(page: Page) -> list[str]:
    """The posts of a preview."""
    rows = page.locator("[data-uri]")
    return [str(rows.nth(index).get_attribute("data-uri")) for index in range(rows.count())]


def test_a_key_minted_in_the_browser_lets_a_program_add_members_until_it_is_revoked(
    site: Site, service: Service
) -> None:
    newcomer = someone(site, "newcomer.example.com")
    post = b.post(newcomer, at=b.ago(hours=1))
    store(post)

    def assign(key: str) -> tuple[int, Any]:
        params = {"feedName": "a-mpls", "handle": "newcomer.example.com"}
        answer = site.service.http.put("/assign_user_to_feed", params=params, headers={"X-API-Key": key})
        return answer.status_code, answer.json()

    with browsing(service.port) as browser:
        page = browser.page
        browser.open(f"{KEYS}add/")
        page.fill("[name=note]", "a script")
        page.check("[name=scopes][value=members]")
        page.check("[name=feeds][value=a-mpls]")
        page.click("[name=_save]")
        key = page.inner_text("#api-key")
        until(lambda: assign(key)[0] == 200, lambda: assign(key))
        until(lambda: served(site, "a-mpls", newcomer) == [post.uri])
        page.click("text=I have copied it")
        page.click("text=Revoke…")
        page.click("text=Revoke permanently")
        page.wait_for_selector("text=every service refuses it from now on")
        assert assign(key) == (401, {"error": "AuthenticationRequired", "message": "this API key was revoked"})
        assert browser.said == []


def test_who_is_added_by_handle_reads_the_private_feed(site: Site, service: Service) -> None:
    mira = someone(site, "mira.example.com")
    post = b.post(mira, at=b.ago(minutes=9))
    store(post)
    until(lambda: served(site, "a-mpls", mira) == [])
    with browsing(service.port) as browser:
        browser.open("/admin/labels/actorlabel/add/")
        browser.page.fill("[name=did]", "@mira.example.com")
        browser.page.select_option("[name=label]", label="mpls")
        browser.page.click("[name=_save]")
        browser.page.wait_for_url("**/actorlabel/")
        until(lambda: served(site, "a-mpls", mira) == [post.uri])
        assert browser.said == []


def test_a_feed_edited_in_the_browser_is_previewed_and_served_so(site: Site, service: Service) -> None:
    author = someone(site, "author.example.com")
    membership.assign("tqsp", author, by="test")
    root = b.post(author, at=b.ago(hours=2), text="root")
    reply = b.post(author, at=b.ago(hours=1), text="reply", reply_to=root)
    store(root, reply)
    until(lambda: served(site, "cl-tqsp") == [root.uri])
    with browsing(service.port) as browser:
        page = browser.page
        browser.open(page_of("cl-tqsp", "preview"))
        assert shown(page) == [root.uri]
        page.click(".pg-tabs >> text=Settings")
        page.check("[name=parameter_replies]")
        page.click("[name=_save]")
        page.wait_for_url(f"**{FEEDS}")
        assert FeedDefinition.objects.get(rkey="cl-tqsp").parameters == {"label": "tqsp", "replies": True}
        browser.open(page_of("cl-tqsp", "preview"))
        assert shown(page) == [reply.uri, root.uri]
        until(lambda: served(site, "cl-tqsp") == [reply.uri, root.uri])
        assert browser.said == []


def test_who_is_blocked_from_a_preview_leaves_the_served_feed(site: Site, service: Service) -> None:
    spammer, other = someone(site, "spammer.example.com"), someone(site, "other.example.com")
    posts = [b.post(did, at=b.ago(minutes=5)) for did in (spammer, other)]
    for did in (spammer, other):
        membership.assign("tqsp", did, by="test")
    store(*posts)
    until(lambda: set(served(site, "cl-tqsp")) == {post.uri for post in posts})
    with browsing(service.port) as browser:
        page = browser.page
        browser.open(page_of("cl-tqsp", "preview"))
        page.locator(f"[data-uri='{posts[0].uri}']").locator("text=Block author…").click()
        page.check("[name=where][value=here]")
        page.click("button:has-text('Block')")
        page.wait_for_selector("text=The author is blocked in this feed from now on.")
        assert shown(page) == [posts[1].uri]
        until(lambda: served(site, "cl-tqsp") == [posts[1].uri])
        assert browser.said == []


def test_the_numbers_of_the_overview_move_by_themselves(service: Service) -> None:
    with browsing(service.port) as browser:
        page = browser.page
        browser.open("/admin/")
        page.wait_for_selector("#live[data-state=live]")
        rows = page.locator("[data-table=repo_records] [data-field=rows]")
        assert not rows.is_visible()
        page.focus("#tables > summary")
        page.keyboard.press("Enter")
        rows.wait_for(state="visible")
        before = rows.inner_text()
        store(*(b.post(b.ALICE, at=b.ago(minutes=nth + 1)) for nth in range(1_234)))
        page.wait_for_function(
            "text => document.querySelector('[data-table=repo_records] [data-field=rows]').textContent === text",
            arg="1,234",
        )
        assert (before, rows.is_visible()) == ("0", True)
        assert browser.said == []
