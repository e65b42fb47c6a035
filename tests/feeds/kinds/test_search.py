"""Feeds made of a search, newest first: pages from the tail and from the index, while posts come and go."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from atsite.core import kv
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.config import config
from feeds.kinds import search_newest
from feeds.kinds.search_feed import Memory
from feeds.kinds.search_newest import SearchNewest
from feeds.ranking import tails
from feeds.ranking.cursor import Newest
from feeds.ranking.feed import FeedPage, FeedRequest, FeedUnavailable, PostKey
from feeds.ranking.generations import SECOND
from feeds.ranking.tails import Tail, TailedFeed, Tails
from indexer.index.query import matches
from tests import builders as b
from tests.feeds import worlds
from tests.feeds.conftest import Site
from tests.feeds.kind_cases import LABEL, Case
from tests.feeds.wire import Wire
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import store
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feeds.ranking.tails import Outcome

pytestmark = pytest.mark.usefixtures("clickhouse", "valkey")


class Search(Site):
    """A site with one feed made of a search."""

    def renew(self, *, later: int = 2 * SECOND) -> Outcome:
        """A round of its tail, `later` than the last thing that happened; copies of the old one have ended."""
        self.time += later
        assert isinstance(self.feed, SearchNewest)
        outcome = self.feed.renew_tail(self.time)
        self.time += 2 * SECOND
        return outcome

    def fill(self) -> None:
        """Have the feed read, and its tail filled."""
        self.page(1)
        assert self.renew() == "filled"

    def now_in_redis(self) -> Tail:
        assert isinstance(self.feed, SearchNewest)
        tail = self.feed.memory.tails.stored(self.feed._name)
        assert tail is not None
        return tail


def search(query: str = "apples", **parameters: Any) -> Search:
    return Search(Case("search", {"query": query, **parameters}, lambda *_: [], lambda *_: []))


def posts(count: int, now: int, *, text: str = "apples", oldest: int = 0) -> list[b.Record]:
    """Posts of one second each, the newest first."""
    return [b.post(actor(n % 7), at=now - (oldest + n + 1) * SECOND, text=f"{text} {n}") for n in range(count)]


def keys(rows: list[b.Record]) -> list[str]:
    return [row.uri for row in rows]


@pytest.fixture
def small_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_newest, "SIZE", 20)
    monkeypatch.setattr(search_newest, "REFILL_BELOW", 15)


def forbid_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the index was asked")

    monkeypatch.setattr(matches, "rows", asked)


@pytest.mark.usefixtures("small_tail")
@pytest.mark.parametrize("limit", [1, 7, 20, 50, 100])
@pytest.mark.parametrize("tailed", [True, False])
def test_a_walk_shows_all_posts_once_in_their_order(limit: int, tailed: bool) -> None:
    site = search()
    rows = posts(55, site.time)
    store(*rows, *posts(9, site.time, text="pears"))
    if tailed:
        site.fill()
        assert len(site.now_in_redis().posts) == 20
    assert site.walk(limit) == keys(rows)


@pytest.mark.usefixtures("small_tail")
def test_pages_of_the_tail_do_not_ask_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    site = search()
    rows = posts(55, site.time)
    store(*rows)
    site.fill()
    with monkeypatch.context() as patch:
        forbid_the_index(patch)
        first = site.page(4)
        second = site.page(4, first)
        assert site.uris(first) + site.uris(second) == keys(rows)[:8]
        with pytest.raises(AssertionError, match="the index was asked"):
            site.page(10, second)
    assert site.uris(site.page(30, second)) == keys(rows)[8:38]


def test_a_tail_that_holds_every_post_needs_no_index_to_end_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    site = search()
    rows = posts(9, site.time)
    store(*rows)
    site.fill()
    assert site.now_in_redis().floor is None
    forbid_the_index(monkeypatch)
    assert site.walk(4) == keys(rows)
    assert site.page(9).cursor is None


def test_rounds_add_what_is_new_and_compare_all_of_it_from_time_to_time() -> None:
    site = search()
    rows = posts(5, site.time, oldest=200)
    store(*rows)
    site.fill()
    new = b.post(actor(1), at=site.time, text="apples, new")
    store(new, b.delete(rows[3], at=site.time))
    assert site.renew(later=15 * SECOND) == "extended"
    # The deleted one lies below what the round read, and leaves the tail with the comparison; no page shows it.
    assert [post.uri for post in site.now_in_redis().posts] == keys([new, *rows])
    assert site.walk(9) == keys([new, *rows[:3], rows[4]])
    late = b.post(actor(2), at=site.time - HOUR, text="apples, indexed late")
    store(late, b.update(rows[4], at=site.time, text="pears now"))
    assert site.renew(later=15 * SECOND) == "compared"
    assert site.walk(2) == keys([new, *rows[:3], late])


@pytest.mark.usefixtures("small_tail")
def test_what_no_longer_belongs_there_leaves_within_a_minute() -> None:
    """A deleted post at once, as it is looked up for each page; an edited one, and those of who left, in time."""
    site = search(members_of=LABEL)
    worlds.carry(LABEL, *(actor(n) for n in range(7)))
    rows = posts(40, site.time, oldest=600)
    store(*rows)
    site.fill()
    store(b.delete(rows[0], at=site.time), b.update(rows[1], at=site.time, text="pears"))
    worlds.carry(LABEL, actor(2), version=2, deleted=True)
    gone = {row.uri for row in rows if row.did == actor(2)} | {rows[0].uri, rows[1].uri}
    assert rows[0].uri not in site.uris(site.page(10))
    passed = 0
    while gone & set(site.walk(10)):
        assert passed < 45 * SECOND
        site.renew(later=13 * SECOND)
        passed += 15 * SECOND
    assert site.walk(10) == [row.uri for row in rows if row.uri not in gone]


@pytest.mark.usefixtures("small_tail")
@pytest.mark.parametrize("seed", range(6))
def test_walks_lose_and_repeat_nothing_while_posts_come_and_go(seed: int) -> None:
    """Whatever happens between two pages: rounds, new posts, late ones, deletes, edits, a tail that is lost."""
    random = Random(seed)
    site = search()
    rows = posts(90, site.time)
    store(*rows)
    site.fill()
    touched: set[str] = set()
    shown: list[str] = []
    page = FeedPage()
    for number in steps():
        page = site.page(random.randrange(1, 14), page)
        shown += site.uris(page)
        if page.cursor is None:
            break
        for _ in range(2):
            match random.randrange(6):
                case 0:
                    site.renew(later=random.choice([5, 15, 40]) * SECOND)
                case 1:
                    store(b.post(actor(8), at=site.time, text=f"apples {number}"))
                case 2:
                    late = b.post(actor(9), at=site.time - random.randrange(200) * SECOND, text=f"apples late {number}")
                    touched.add(late.uri)
                    store(late)
                case 3:
                    row = random.choice(rows)
                    touched.add(row.uri)
                    store(b.delete(row, at=site.time))
                case 4:
                    row = random.choice(rows)
                    touched.add(row.uri)
                    store(b.update(row, at=site.time, text="pears"))
                case 5:
                    kv.client().flushdb()
    assert len(shown) == len(set(shown))
    places = [(uri.rpartition("/")[2], uri.split("/")[2]) for uri in shown]
    assert places == sorted(places, reverse=True)
    assert [uri for uri in shown if uri not in touched] == [uri for uri in keys(rows) if uri not in touched]


def test_only_tails_of_feeds_that_are_read_cost_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    site = search()
    store(*posts(3, site.time))
    with monkeypatch.context() as patch:
        forbid_the_index(patch)
        assert site.renew() == "unread"
    site.read(FeedRequest(5, Newest(tid_of_micros(site.time), "")))  # not a first page
    assert site.renew() == "unread"
    site.page(5)
    life = [kv.client().pttl(key) for key in kv.client().keys("*tail-read")]
    assert [0 < each <= tails.IDLE / 1000 for each in life] == [True]
    assert site.renew() == "filled"
    kv.client().delete(*kv.client().keys("*tail-read"))
    assert site.renew() == "unread"


def test_a_tail_that_was_not_renewed_in_time_is_not_used() -> None:
    site = search()
    rows = posts(3, site.time)
    store(*rows)
    site.fill()
    new = b.post(actor(1), at=site.time, text="apples")
    store(new)
    assert site.walk(5) == keys(rows)
    site.time += tails.STALE
    assert site.walk(5) == keys([new, *rows])


def test_a_changed_feed_has_another_tail() -> None:
    site = search()
    store(*posts(3, site.time), pear := b.post(actor(1), at=site.time - HOUR, text="pears"))
    site.fill()
    site.define(parameters={"query": "pears"})
    assert site.walk(5) == [pear.uri]


@pytest.fixture
def cut_site() -> Iterator[tuple[Search, Wire]]:
    address = urlsplit(config.redis_url)
    with Wire(str(address.hostname), int(address.port or 6379)) as wire:
        client = redis.Redis(
            port=wire.port, db=int(address.path[1:]), password=address.password, retry=Retry(NoBackoff(), 0)
        )
        site = search()
        site.data._memories[Memory] = Memory(tails=Tails(lambda: client))
        yield site, wire
        client.close()


def test_without_redis_pages_come_from_the_index(cut_site: tuple[Search, Wire]) -> None:
    site, wire = cut_site
    rows = posts(30, site.time)
    store(*rows)
    site.fill()
    page = site.page(4)
    wire.cut()
    site.time += 2 * SECOND
    assert site.walk(7) == keys(rows)
    assert site.uris(site.page(4, page)) == keys(rows)[4:8]


def test_what_redis_holds_instead_of_a_tail_is_ignored() -> None:
    site = search()
    rows = posts(3, site.time)
    store(*rows)
    site.fill()
    (key,) = kv.client().keys("*:tail")
    kv.client().set(key, b"no tail")
    site.time += 2 * SECOND
    assert site.walk(5) == keys(rows)


def test_a_stored_tail_is_read_back_as_it_was() -> None:
    whole = Tail((PostKey("3lb", "did:plc:b"), PostKey("3la", "did:plc:a")), PostKey("3la", "did:plc:a"), 5, 6)
    complete = Tail((), None, 0, 0)
    assert [Tail.decode(tail.encode()) for tail in (whole, complete)] == [whole, complete]


GUARDED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing set": ({}, {"plain", "picture", "german"}),
    "replies": ({"replies": True}, {"plain", "picture", "german", "reply"}),
    "labels": ({"self_labelled": True}, {"plain", "picture", "german", "labelled"}),
    "languages": ({"languages": ["de", "fr"]}, {"german"}),
    "two languages": ({"languages": ["de", "en"]}, {"plain", "picture", "german"}),
    "with media": ({"media": "with"}, {"picture"}),
    "without media": ({"media": "without"}, {"plain", "german"}),
    "blocked word": ({"blocked_words": ["picture"]}, {"plain", "german"}),
    "blocked phrase": ({"blocked_words": ["and plain", "plain and"]}, {"picture", "german", "plain"}),
    "blocked phrase in order": ({"blocked_words": ["apples plain"]}, {"picture", "german"}),
    "many long blocked phrases": (
        {"blocked_words": [f"a b c d e f {n}" for n in range(60)] + ["german"]},
        {"plain", "picture"},
    ),
    "many blocked words": ({"blocked_words": [f"word{n}" for n in range(150)] + ["—", "german"]}, {"plain", "picture"}),
    "age": ({"min_age_minutes": 10}, {"old"}),
    "followers": ({"following_max": 3}, {"plain", "picture"}),
}


@pytest.mark.parametrize("tailed", [True, False])
@pytest.mark.parametrize("guard", GUARDED)
def test_each_setting_lets_in_what_it_says(guard: str, tailed: bool) -> None:
    parameters, expected = GUARDED[guard]
    site = search(**parameters)
    at = site.time - 60 * SECOND
    rows = {
        "plain": b.post(actor(1), at=at, text="apples plain", langs=("en",)),
        "picture": b.post(actor(2), at=at, text="apples picture", langs=("en",), images=("a", "")),
        "german": b.post(actor(3), at=at, text="apples german", langs=("de",)),
        "reply": b.post(
            actor(4), at=at, text="apples reply", reply_to="at://did:plc:x/app.bsky.feed.post/3laaaaaaaaaa2"
        ),
        "labelled": b.post(actor(5), at=at, text="apples labelled", labels=["porn"]),
    }
    if guard == "age":
        rows["old"] = b.post(actor(6), at=site.time - 11 * MINUTE, text="apples old")
    store(*rows.values(), *(b.follow(actor(3), actor(100 + n), at=at) for n in range(3)))
    if tailed:
        site.fill()
    assert set(site.walk(10)) == {rows[name].uri for name in expected}


def test_a_query_that_names_an_unknown_account_says_so_and_spoils_no_other_feed() -> None:
    site = search("apples from:nobody.example.com")
    with pytest.raises(FeedUnavailable, match=r"no account has the handle nobody\.example\.com.* \(character 8\)"):
        site.page(5)
    assert isinstance(site.feed, TailedFeed)
    assert tails.renew([site.feed], now=site.now) == {site.definition.key: "failed"}


def test_rounds_begin_with_who_waited_longest_and_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed whose query takes long holds up others for one round only."""
    sites = [search() for _ in range(4)]
    clock = sites[0]
    turns: list[str] = []

    def slow(feed: SearchNewest, now: int) -> str:
        turns.append(feed.definition.rkey)
        clock.time += 7 * SECOND
        return "extended"

    monkeypatch.setattr(SearchNewest, "renew_tail", slow)
    for number, site in enumerate(sites):
        site.define(rkey=f"feed-{number}")
    feeds = [site.feed for site in sites]
    for _ in range(4):
        tails.renew(feeds, now=clock.now)  # type: ignore[arg-type]
        clock.time += 15 * SECOND
    assert turns == ["feed-0", "feed-1", "feed-2", "feed-3", "feed-0", "feed-1", "feed-2", "feed-3"]
