"""Feeds in a real browser: edited and previewed, an author blocked from the preview; hostile text harms no page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.clock import now_us
from feeds.kinds.likes_ranking import HOUR
from feeds.models import FeedDefinition, PinnedPost
from labels.models import Block
from tests import builders as b
from tests.admin.chromium import DESK, PHONE, Browser, browsing
from tests.feeds import administration, worlds
from tests.feeds.administration import FEEDS, page_of
from tests.rows import store

if TYPE_CHECKING:
    from tests.rows import Record
    from tests.test_services import Service

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


@pytest.fixture(autouse=True)
def _site(browsed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


def network() -> list[Record]:
    """Six posts for whats-hot, the best first; the first authors have names."""
    now = now_us()
    words = "A post with as many words as people write, and a second line of them. "
    posts = [b.post(worlds.actor(nth), at=now - HOUR - nth * HOUR // 4, text=words * (nth % 3 + 1)) for nth in range(6)]
    store(*posts)
    store(*(b.like(worlds.actor(100 + liker), post, at=now - HOUR // 2) for post in posts for liker in range(9)))
    for nth in range(4):
        did = worlds.actor(nth)
        store(b.identity(did, f"user{nth}.example.com", at=b.ago(hours=20)))
        store(b.profile(did, at=b.ago(hours=20), name=f"Person {nth}"))
    return posts


def shown(browser: Browser) -> list[str]:
    rows = browser.page.locator("[data-uri]")
    return [str(rows.nth(index).get_attribute("data-uri")) for index in range(rows.count())]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_feed_is_edited_refreshed_previewed_and_rid_of_an_author(service: Service, width: int) -> None:
    posts = network()
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open(page_of("whats-hot"))
        browser.shot("feed")
        page.fill("[name=parameter_min_likes]", "5")
        page.click("[name=_save]")
        page.wait_for_url(f"**{FEEDS}")
        assert FeedDefinition.objects.get(rkey="whats-hot").parameters == {"min_likes": 5}

        browser.open(page_of("whats-hot", "preview"))
        page.click("text=Refresh now")
        page.wait_for_selector("text=Refreshed: 6 posts")
        assert shown(browser) == [post.uri for post in posts]
        browser.shot("feed-preview")

        row = page.locator(f"[data-uri='{posts[0].uri}']")
        row.locator("text=Block author…").click()
        page.check("[name=where][value=everywhere]")
        page.fill("[name=note]", "spam")
        browser.shot("feed-block")
        page.click("button:has-text('Block')")
        page.wait_for_selector("text=The author is blocked in every feed and search from now on.")
        assert shown(browser) == [post.uri for post in posts[1:]]
        assert Block.objects.get().note == "spam"

        for name in ("use", "publishing", "kind"):
            browser.open(page_of("whats-hot", name))
            browser.shot(f"feed-{name}")
        browser.open(f"{FEEDS}add/")
        browser.shot("feed-add")
        browser.open(FEEDS)
        browser.shot("feeds")
        assert browser.said == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_hostile_text_runs_nothing_and_breaks_no_layout(service: Service, width: int) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    texts = [evil, "\u202eevil gnp.exe", "Z" + "\u0300\u0301\u0302\u0303" * 150, "w" * 3000]
    feed = FeedDefinition.objects.get(rkey="bangers")
    for nth, text in enumerate(texts):
        did = worlds.actor(nth)
        post = b.post(did, at=b.ago(hours=nth + 1), text=text)
        store(post, b.profile(did, at=b.ago(hours=9), name=text), b.identity(did, "x.example.com", at=b.ago(hours=9)))
        PinnedPost.objects.create(feed=feed, position=nth, uri=post.uri)
    with browsing(service.port, width=width) as browser:
        browser.open(page_of("bangers", "preview"))
        browser.shot("feed-hostile")
        assert len(shown(browser)) == len(texts)
        assert "owned" not in browser.page.title()
        boxes = browser.page.locator("[data-uri]")
        heights = [(boxes.nth(index).bounding_box() or {"height": 0})["height"] for index in range(boxes.count())]
        assert max(heights) < 600
        assert browser.said == []
