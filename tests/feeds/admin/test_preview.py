"""A feed as readers get it: its pages by its cursors, with names, texts and reasons; and what is done from there."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.contrib.admin.models import LogEntry

from atsite.core.clock import now_us
from atsite.core.kv.lock import Lock
from feeds.admin.preview import preview
from feeds.kinds import like_counts
from feeds.kinds.hot import hot_score
from feeds.kinds.likes_ranking import HOUR
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking import cursor as cursors
from feeds.ranking import queries
from feeds.ranking.feed import FeedRequest, PostKey
from feeds.serving import private_gate, registry
from feeds.usage import counting
from indexer.index.models import RefusedActor
from labels import membership
from labels.models import Block
from tests import builders as b
from tests.away import clickhouse_away
from tests.feeds import administration, worlds
from tests.feeds.administration import browser, content, page_of
from tests.indexer.fill.test_view import fill
from tests.rows import store
from tests.steps import steps

if TYPE_CHECKING:
    import redis
    from django.test import Client

    from feeds.ranking.feed import Feed
    from tests.rows import Record

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture(autouse=True)
def _site(clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


@pytest.fixture
def editor() -> Client:
    return browser()


def hot_posts(count: int = 5) -> list[Record]:
    """Root posts of an hour ago and more with enough likes for whats-hot, the best first."""
    now = now_us()
    posts = [
        b.post(worlds.actor(number), at=now - HOUR - number * HOUR // 4, text=f"post {number}")
        for number in range(count)
    ]
    store(*posts)
    store(*(b.like(worlds.actor(100 + liker), post, at=now - HOUR // 2) for post in posts for liker in range(9)))
    return posts


def shown(page: str) -> list[str]:
    return re.findall(r'data-uri="([^"]*)"', page)


def uris(posts: list[Record]) -> list[str]:
    return [post.uri for post in posts]


def served(rkey: str) -> Feed:
    registry._copy.drop()
    return registry.feed_named(rkey)


def test_refreshing_ranks_the_feed_and_the_preview_shows_names_texts_times_and_numbers(editor: Client) -> None:
    posts = hot_posts()
    store(
        b.identity(worlds.actor(0), "zero.test", at=b.ago(hours=9)),
        b.profile(worlds.actor(0), at=b.ago(hours=9), name="Nil"),
    )
    told = editor.post(page_of("whats-hot", "refresh"), follow=True).content.decode()
    assert "Refreshed: 5 posts" in told
    page = content(editor, page_of("whats-hot", "preview"))
    assert shown(page) == uris(posts)
    assert "<strong>Nil</strong>" in page
    assert "@zero.test" in page
    assert ">post 0</bdi>" in page
    assert worlds.actor(1) in page  # who has no name is told by did
    assert re.search(r"Ranked at\s+<time[^>]*>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page)
    assert re.search(r"\(9 likes − 1\) ÷ \(1\.0 hours \+ 2\)\^1\.8 = 1\.1\d\d", page)


def test_a_refresh_is_in_the_log_and_one_that_published_nothing_is_not(editor: Client) -> None:
    editor.post(page_of("top-1h", "refresh"))
    hot_posts()
    editor.post(page_of("whats-hot", "refresh"))
    (entry,) = LogEntry.objects.select_related("user")
    written = (entry.user.get_username(), entry.object_repr, entry.get_change_message())
    assert written == ("editor", "whats-hot", "Refreshed.")


def test_the_numbers_of_a_reason_are_those_of_the_ranking() -> None:
    (post,) = hot_posts(1)
    now = now_us()
    (ranked,) = like_counts.liked_exact(
        [post.rkey], formula="hot", now=now, likes_from="", min_likes=1, condition=like_counts.root_posts()
    )
    age = (now - (now_us() - HOUR)) / HOUR
    assert hot_score(9, age) == pytest.approx(ranked.score, rel=1e-3)


def test_a_preview_is_the_served_page_walked_by_its_own_cursors(editor: Client) -> None:
    hot_posts(25)
    editor.post(page_of("whats-hot", "refresh"))
    feed, data = served("whats-hot"), registry.registry().data
    cursor, walked = "", []
    for _ in steps():
        found = preview(feed, data, cursor=cursor, viewer=None, limit=10)
        page = private_gate.page(feed, data, FeedRequest(10, cursors.decode(cursor) if cursor else None))
        assert [row.post.uri for row in found.rows] == [entry.post for entry in page.posts]
        walked += [row.post.uri for row in found.rows]
        cursor = found.cursor
        assert cursor == (cursors.encode(page.cursor) if page.cursor else "")
        if not cursor:
            break
    assert len(walked) == len(set(walked)) == 25


def test_pages_follow_each_other_by_their_links(editor: Client) -> None:
    posts = hot_posts(35)
    editor.post(page_of("whats-hot", "refresh"))
    first = content(editor, page_of("whats-hot", "preview"))
    assert shown(first) == uris(posts)[:30]
    (link,) = re.findall(r'rel="next"\s+href="([^"]*)"', first)
    second = content(editor, page_of("whats-hot", "preview") + link)
    assert shown(second) == uris(posts)[30:]
    assert 'start="31"' in second
    assert "This is the end." in second


def test_a_preview_counts_as_no_reading(editor: Client) -> None:
    hot_posts()
    editor.post(page_of("whats-hot", "refresh"))
    content(editor, f"{page_of('whats-hot', 'preview')}?as={b.ALICE}")
    counting.RECORDER.flush()
    assert counting.counted(now=b.ago()) == []


def test_a_feed_that_cannot_be_ranked_says_why_and_what_to_do(editor: Client) -> None:
    assert "No post qualifies now" in editor.post(page_of("top-1h", "refresh"), follow=True).content.decode()
    assert "Lower the minimum number of likes" in content(editor, page_of("top-1h", "preview"))
    assert "each page is read fresh" in editor.post(page_of("a-mpls", "refresh"), follow=True).content.decode()
    FeedDefinition.objects.filter(rkey="top-1h").update(parameters={"hours": 0})
    assert "Hours must be a whole number" in content(editor, page_of("top-1h", "preview"))


def test_two_refreshes_at_once_are_one(editor: Client) -> None:
    feed = served("whats-hot")
    lock = Lock(f"feeds:{feed.definition.key}:refresh", 10)
    assert lock.acquire()
    told = editor.post(page_of("whats-hot", "refresh"), follow=True).content.decode()
    assert "Another refresh of this feed is running" in told
    lock.release()


def members_world() -> Record:
    post = b.post(b.ALICE, at=b.ago(hours=1), text="for members")
    store(post, b.identity(b.ALICE, "alice.test", at=b.ago(hours=2)))
    membership.assign("mpls", b.ALICE, by="test")
    return post


def test_a_private_feed_is_previewed_as_nobody_and_as_a_member_by_handle_did_or_link(editor: Client) -> None:
    post = members_world()
    page = page_of("a-mpls", "preview")
    assert shown(content(editor, page)) == []
    assert shown(content(editor, f"{page}?as={b.BOB}")) == []
    for reader in (
        "alice.test",
        "@Alice.test",
        b.ALICE,
        "https://bsky.app/profile/alice.test",
        "bsky.app/profile/alice.test/post/3k?x#y",
        f"at://{b.ALICE}",
        "\u202aalice.test\u202c",
        "\u00a0@alice.test\u200b",
    ):
        assert shown(content(editor, f"{page}?as={quote(reader)}")) == [post.uri], reader
    assert "Enter alice.example.com, did:plc" in content(editor, f"{page}?as={quote('a b')}")
    store(b.identity(b.ALICE, "handle.invalid", at=b.ago(minutes=1)))
    refused = content(editor, f"{page}?as=handle.invalid")
    assert "handle.invalid names no account" in refused
    assert "this account's handle could not be verified" in content(editor, f"{page}?as={b.ALICE}")


def test_a_reader_is_found_by_a_handle_that_the_site_asked_for(editor: Client) -> None:
    post = b.post(b.ALICE, at=b.ago(hours=1), text="for members")
    store(post)
    membership.assign("mpls", b.ALICE, by="test")
    fill(b.ALICE, "alice.test", "Alice", at=b.ago(hours=2))
    page = content(editor, f"{page_of('a-mpls', 'preview')}?as=alice.test")
    assert shown(page) == [post.uri]
    assert "@alice.test" in page


def test_the_instructions_and_the_pinned_post_are_shown_as_readers_get_them(editor: Client) -> None:
    post = members_world()
    pinned = b.post(b.BOB, at=b.ago(days=9), text="rules")
    store(pinned)
    FeedDefinition.objects.filter(rkey="a-mpls").update(pinned_post=pinned.uri, instructions_post=pinned.uri)
    page = page_of("a-mpls", "preview")
    as_nobody = content(editor, page)
    assert shown(as_nobody) == [pinned.uri]
    assert "the instructions post: the only post that readers without the label mpls see in this feed" in as_nobody
    assert re.findall(r'class="pg-mark">([^<]*)<', as_nobody) == ["instructions"]
    as_member = content(editor, f"{page}?as=alice.test")
    assert shown(as_member) == [pinned.uri, post.uri]
    assert "Pinned above the feed." in as_member


def test_a_repost_names_who_brought_it(editor: Client) -> None:
    members_world()
    theirs = b.post(b.BOB, at=b.ago(hours=3), text="from outside")
    store(theirs, b.repost(b.ALICE, theirs, at=b.ago(minutes=30)))
    FeedDefinition.objects.filter(rkey="a-mpls").update(parameters={"label": "mpls", "reposts": True})
    page = content(editor, f"{page_of('a-mpls', 'preview')}?as=alice.test")
    assert shown(page)[0] == theirs.uri
    assert re.search(r"reposted by\s+<bdi.*?@alice.test", page, re.DOTALL)


def test_media_replies_and_unknown_posts_are_marked(editor: Client) -> None:
    posts = [
        b.post(b.ALICE, at=b.ago(hours=1), text="pictures", images=("a cat", "")),
        b.post(b.ALICE, at=b.ago(hours=2), text="film", video=True),
        b.post(b.ALICE, at=b.ago(hours=3), text="link", link="https://example.com/"),
        b.post(b.ALICE, at=b.ago(hours=4), text="", quote=f"at://{b.BOB}/app.bsky.feed.post/3kabcdefghij2"),
    ]
    store(*posts)
    unknown = f"at://{b.CAROL}/app.bsky.feed.post/3kabcdefghij2"
    feed = FeedDefinition.objects.get(rkey="bangers")
    for position, uri in enumerate([*uris(posts), unknown]):
        PinnedPost.objects.create(feed=feed, position=position, uri=uri)
    page = content(editor, page_of("bangers", "preview"))
    assert shown(page) == [*uris(posts), unknown]
    marks = [re.findall(r'class="pg-mark">([^<]*)<', part) for part in page.split("data-uri=")[1:]]
    assert marks == [["2 pictures"], ["video"], ["link"], ["quote"], []]
    assert page.count("This post is not in the index") == 1
    assert page.count("number 5 in your list") == 1


def test_a_cursor_of_another_list_and_stores_that_are_away_are_told_in_words(editor: Client) -> None:
    hot_posts()
    editor.post(page_of("whats-hot", "refresh"))
    page = page_of("whats-hot", "preview")
    assert "Cursor" in content(editor, f"{page}?cursor=nonsense") or "cursor" in content(editor, f"{page}?cursor=x")
    with clickhouse_away():
        away = content(editor, page)
    assert "ClickHouse does not answer: names and texts are missing here." in away
    assert len(shown(away)) == 5


def test_a_switched_off_feed_is_previewed_too(editor: Client) -> None:
    hot_posts()
    FeedDefinition.objects.filter(rkey="whats-hot").update(enabled=False)
    editor.post(page_of("whats-hot", "refresh"))
    page = content(editor, page_of("whats-hot", "preview"))
    assert "Switched off: readers do not get this feed." in page
    assert len(shown(page)) == 5


def blocking(post: Record, page: str = "block") -> str:
    return f"{page_of('whats-hot', page)}?what=author&uri={quote(post.uri)}&as=alice.test"


def test_a_post_or_an_author_is_blocked_from_a_row_after_asking(editor: Client) -> None:
    posts = hot_posts(4)
    editor.post(page_of("whats-hot", "refresh"))
    asked = content(editor, blocking(posts[0]))
    assert ">post 0</bdi>" in asked
    assert not Block.objects.exists()
    assert re.findall(r'value="(\w+)"[^>]*\schecked(?=[\s>])', asked) == ["author", "here"]
    answer = editor.post(blocking(posts[0]), {"what": "author", "where": "everywhere", "note": "spam"})
    assert answer["Location"] == f"{page_of('whats-hot', 'preview')}?as=alice.test"
    editor.post(blocking(posts[1]), {"what": "post", "where": "here", "note": ""})
    assert set(Block.objects.values_list("subject", "feed", "note", "created_by")) == {
        (posts[0].did, "", "spam", "editor"),
        (posts[1].uri, "whats-hot", "", "editor"),
    }
    assert shown(content(editor, page_of("whats-hot", "preview"))) == uris(posts[2:])
    again = editor.post(blocking(posts[1]), {"what": "post", "where": "here", "note": ""}, follow=True)
    assert "was already blocked there" in again.content.decode()


def test_a_wrong_address_or_an_incomplete_answer_blocks_nothing(editor: Client) -> None:
    page = page_of("whats-hot", "block")
    for uri in ("", "x", "at://alice.test/app.bsky.feed.post/3k", f"at://{b.ALICE}/app.bsky.feed.like/3kabcdefghij2"):
        answer = editor.post(f"{page}?uri={quote(uri)}", {"what": "post", "where": "here"}, follow=True)
        assert "That is not the address of a post." in html.unescape(answer.content.decode())
    (post,) = hot_posts(1)
    assert editor.post(blocking(post), {"what": "post", "where": "nowhere"}).status_code == 200
    assert not Block.objects.exists()


def test_an_author_who_is_not_to_be_indexed_leaves_at_once_and_for_good(editor: Client) -> None:
    posts = hot_posts(3)
    editor.post(page_of("whats-hot", "refresh"))
    assert "Nothing" in content(editor, blocking(posts[0], "refuse"))
    editor.post(blocking(posts[0], "refuse"), {"note": "asked for it"})
    assert shown(content(editor, page_of("whats-hot", "preview"))) == uris(posts[1:])
    assert RefusedActor.objects.get().created_by == "editor"
    assert Block.objects.get().subject == posts[0].did
    assert queries.alive([PostKey(posts[0].rkey, posts[0].did)]) == set()


def test_without_clickhouse_an_author_is_not_indexed_any_more_and_deleted_later(editor: Client) -> None:
    (post,) = hot_posts(1)
    with clickhouse_away():
        answer = editor.post(blocking(post, "refuse"), {"note": ""}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert "ClickHouse does not answer: what is indexed is deleted within a minute after it answers again." in said
    assert RefusedActor.objects.get().did == post.did


HOSTILE = [
    '<script>alert("1")</script><img src=x onerror=alert(1)>',
    "\u202eevil gnp.exe\u202d \u2066 unclosed",
    "Z\u0351\u036b\u0343\u036a\u0302" + "\u0300\u0301\u0302\u0303" * 60,
    "w" * 3000,
    "{{ settings.SECRET_KEY }} {% debug %}",
    "line\nline\r\n\ttab \x0b\x1b[31m",
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_text_in_posts_and_names_is_only_text(editor: Client, evil: str) -> None:
    post = b.post(b.ALICE, at=b.ago(hours=1), text=evil)
    store(post, b.profile(b.ALICE, at=b.ago(hours=2), name=evil), b.identity(b.ALICE, "alice.test", at=b.ago(hours=2)))
    PinnedPost.objects.create(feed=FeedDefinition.objects.get(rkey="bangers"), uri=post.uri)
    for address in (page_of("bangers", "preview"), f"{page_of('bangers', 'block')}?uri={quote(post.uri)}"):
        raw = editor.get(address).content.decode()
        texts = re.findall(r'<bdi class="pg-text" dir="auto">(.*?)</bdi>', raw, re.DOTALL)
        names = re.findall(r'<bdi class="pg-name"><strong>(.*?)</strong></bdi>', raw, re.DOTALL)
        assert [html.unescape(text) for text in texts] == [evil[:3000]]
        assert [html.unescape(name) for name in names] == [evil[:200]]
        assert "<" not in texts[0] + names[0]
        outside = raw.replace(texts[0], "").replace(names[0], "")
        assert not set(outside) & set("\u202e\u202d\u2066\u0351\x1b")


def test_an_address_or_reader_cannot_bring_markup_into_the_page(editor: Client) -> None:
    evil = '"><script>alert(1)</script>'
    page = editor.get(f"{page_of('whats-hot', 'preview')}?as={quote(evil)}&cursor={quote(evil)}&from={quote(evil)}")
    assert "<script>alert(1)" not in page.content.decode()


def test_a_reader_who_is_nobody_is_told_so(editor: Client) -> None:
    page = content(editor, f"{page_of('a-mpls', 'preview')}?as=nobody.invalid")
    assert "nobody.invalid" in page
    assert 'role="alert"' in page
