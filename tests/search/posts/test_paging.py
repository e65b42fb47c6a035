"""A walk over pages of any size shows each matching post once, whatever happens meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from atsite.core import cursor_format
from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import int_of_micros, tid_of_micros
from indexer.index.query.parse import parse
from labels.blocks import Blocks
from search.posts import asked, search
from search.posts.hidden import Hidden
from tests.builders import ALICE, BOB, Record, account, ago, delete, floor, micros, post, store, update
from tests.search.service import SEARCH, Service, newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS: Final = ["cat", "Cat,", "dog", "été", "catfish", "東京", "京都", "東京タワー", "大阪に"]
QUERIES: Final = ["cat", "cat dog", "東京", "東京 cat", "été 京都", "nothing"]
AUTHORS: Final = [Did(f"did:plc:{letter * 24}") for letter in "abcdefghij"]
GONE, REBORN = AUTHORS[3], AUTHORS[5]
FLOOR_AT: Final = ago(days=1)


@dataclass(frozen=True)
class World:
    """Every record event that is stored."""

    records: tuple[Record, ...]

    def answer(self, q: str, *, of: Did | None = None) -> list[str]:
        """What a search must find, by brute force: fold the events, look at every text."""
        newest: dict[tuple[str, str], Record] = {}
        for record in sorted(self.records, key=lambda record: record.version):
            newest[record.rkey, record.did] = record
        return newest_first(*(record for record in newest.values() if _shown(record, q) and of in (None, record.did)))


def _shown(record: Record, q: str) -> bool:
    dead = record.did == GONE or (record.did == REBORN and record.version < int_of_micros(micros(FLOOR_AT)))
    return record.record is not None and not dead and _has_all(str(record.record["text"]), q)


def _has_all(text: str, q: str) -> bool:
    have = text.lower().replace(",", "").split()
    return all(word in text if word[0] >= "\u2e80" else word in have for word in q.split())


@pytest.fixture
def world(clickhouse: None) -> World:
    """800 posts of a day, many of one moment; a fifth edited or deleted; two authors gone. In any order."""
    random = Random(11)
    made = [_post(random) for _ in range(800)]
    later = [_changed(random, record) for record in random.sample(made, len(made) // 5)]
    records = random.sample([*made, *later], len(made) + len(later))
    for start in range(0, len(records), 700):
        store(*records[start : start + 700])
    store(account(GONE, active=False, status="suspended", at=ago(hours=2)), floor(REBORN, at=FLOOR_AT))
    return World(tuple(records))


def _post(random: Random) -> Record:
    moment = micros(FLOOR_AT) + random.randint(-700, 700) * 60_000_000
    text = " ".join(random.choices(WORDS, k=random.randint(1, 6)))
    return post(random.choice(AUTHORS), at=moment, rkey=tid_of_micros(moment), text=text)


def _changed(random: Random, record: Record) -> Record:
    at = ago(hours=random.uniform(0.1, 1))
    return delete(record, at=at) if random.random() < 0.5 else update(record, at=at, text=random.choice(WORDS))


@pytest.mark.parametrize("limit", [1, 7, 25, 100])
def test_walking_shows_each_match_once_in_order(service: Service, world: World, limit: int) -> None:
    for q in ["été 京都 dog"] if limit == 1 else QUERIES:
        pages = list(service.walk(q, limit=limit))

        assert [uri for page in pages for uri in page] == world.answer(q)
        assert all(len(page) == limit for page in pages[:-1])
        assert all(pages) or pages == [[]]


def test_walking_one_author_shows_each_match_once_in_order(service: Service, world: World) -> None:
    for q, author in [("cat", AUTHORS[0]), ("東京", AUTHORS[1]), ("cat", GONE), ("京都", REBORN)]:
        pages = service.walk(q, limit=7, author=author)

        assert [uri for page in pages for uri in page] == world.answer(q, of=author)


@pytest.mark.parametrize("q", ["cat", "東京"])
def test_posts_that_arrive_between_pages_disturb_no_walk(service: Service, world: World, q: str) -> None:
    before = world.answer(q)
    walked: list[str] = []
    for number, page in enumerate(service.walk(q, limit=40)):
        walked += page
        store(*(post(ALICE, at=ago(seconds=each), text=f"{q} {number}") for each in range(30)))

    assert walked == before


def test_a_post_of_the_past_that_arrives_below_the_cursor_is_still_shown(service: Service) -> None:
    first, last = (post(ALICE, at=ago(hours=hours), text="cat") for hours in (1, 3))
    store(first, last)
    pages = service.walk("cat", limit=1)
    assert next(pages) == [first.uri]

    between = post(BOB, at=ago(hours=2), text="cat")
    store(between)

    assert list(pages) == [[between.uri], [last.uri]]


@pytest.mark.parametrize("q", ["cat", "東京"])
def test_a_page_that_holds_the_rest_has_no_cursor(service: Service, q: str) -> None:
    both = [post(ALICE, at=ago(hours=hours), text=q) for hours in (1, 2)]
    store(*both)

    assert service.search(q, limit=2) == {"hitsTotal": 2, "posts": [{"uri": each.uri} for each in both]}
    assert "cursor" in service.search(q, limit=1)
    assert service.search("dog") == {"hitsTotal": 0, "posts": []}


@pytest.mark.parametrize("q", ["cat", "東京"])
def test_a_page_is_refilled_past_inactive_authors_and_says_so_when_it_cannot_be(service: Service, q: str) -> None:
    """With limit 1 at most 9,480 rows are looked at; with limit 100 all of these are."""
    newest, oldest = (post(BOB, at=ago(hours=hours), text=q) for hours in (1, 4))
    store(newest, oldest, account(ALICE, active=False, status="takendown", at=ago(hours=1)))
    store(*_crowd(q, range(300), hours=2))
    assert list(service.walk(q, limit=1)) == [[newest.uri], [oldest.uri]]

    store(*_crowd(q, range(300, 10_000), hours=3))
    assert service.found(q, limit=100) == [newest.uri, oldest.uri]
    store(delete(newest, at=ago(minutes=1)))
    assert service.refused(SEARCH, q=q, limit=1) == (
        503,
        "NotEnoughResources",
        "none of the newest matches can be shown; try a narrower search",
    )
    assert service.get(SEARCH, q=q, limit=1).headers["Retry-After"] == "60"


def test_a_search_goes_on_below_rows_of_deleted_posts_that_are_not_merged_yet(service: Service) -> None:
    gone = [post(BOB, at=ago(hours=2, seconds=number), text="cat") for number in range(20)]
    kept = post(BOB, at=ago(hours=3), text="cat")
    store(*gone, kept)
    store(*(delete(each, at=ago(minutes=5)) for each in gone))
    assert list(service.walk("cat", limit=1)) == [[kept.uri]]


def _crowd(q: str, numbers: Iterable[int], *, hours: int) -> list[Record]:
    start = micros(ago(hours=hours))
    return [post(ALICE, at=start + number * 1_000, text=f"{q} {number}") for number in numbers]


def test_a_search_for_posts_of_a_blocked_author_ends_at_once_however_many_there_are(clickhouse: None) -> None:
    store(*_crowd("cat", range(700), hours=2))
    now = micros(ago())
    where = asked.asked(parse(f"cat from:{ALICE}"), viewer=None, now=now).where
    found = search.page(where, Hidden(Blocks(dids=frozenset({ALICE}))), limit=1, cursor=None, now=now)
    assert found == search.Page((), None, 0)


def test_a_cursor_of_another_list_is_refused(service: Service) -> None:
    cursor = cursor_format.encode("newest", tid_of_micros(1), ALICE)

    assert service.refused(SEARCH, q="cat", cursor=cursor) == (
        400,
        "InvalidRequest",
        "cursor: the cursor belongs to another list or another version of this one",
    )


def test_a_cursor_from_the_future_begins_at_the_top(service: Service) -> None:
    future = post(ALICE, at=ago(minutes=-10), text="cat", rev_at=ago(minutes=-10))
    now = post(ALICE, at=ago(minutes=1), text="cat")
    store(future, now)

    assert service.found("cat", cursor=cursor_format.encode("search.posts", "j" * 13, ALICE)) == [now.uri]
