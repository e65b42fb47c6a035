"""Results of made queries, alone and combined, equal those of looking at every post, through every page of a walk."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.builders import account, ago, block, delete, micros, store, update
from tests.search.posts import brute_force as brute
from tests.search.posts import corpus
from tests.search.service import Service, newest_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rows import Record
    from tests.search.posts.brute_force import Made

#: Of each kind of query. More of them are run by the slow test.
QUERIES = 25


class World:
    """Stored posts, as they are now: some were edited, some deleted, and one author is inactive."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        posts = corpus.posts(random)
        self.likes = corpus.engagement(random, posts)
        gone = {row.uri for row in random.sample(posts, 12)}
        changed = random.sample(posts, 12)
        edited = {row.uri: update(row, at=ago(hours=4), text=random.choice(self.texts)) for row in changed}
        taken_back = random.sample(self.likes, len(self.likes) // 5)
        store(*posts, *self.likes)
        store(*edited.values(), *(delete(row, at=ago(hours=1)) for row in taken_back))
        store(*(delete(row, at=ago(hours=2)) for row in posts if row.uri in gone))
        store(account(corpus.AUTHORS[5], active=False, status="deactivated", at=ago(hours=3)))  # type: ignore[arg-type]
        # Also a block by a reader, which is not the site's.
        store(block(corpus.AUTHORS[0], corpus.AUTHORS[1], at=ago(hours=9)))  # type: ignore[arg-type]
        self.likes = [row for row in self.likes if row not in taken_back]
        living = [edited.get(row.uri, row) for row in posts if row.uri not in gone]
        self.posts = [row for row in living if row.did != corpus.AUTHORS[5]]

    @property
    def texts(self) -> list[str]:
        return [text for texts in corpus.TEXTS.values() for text in texts]

    def leaf(self) -> Made:
        return brute.leaf(self.random, brute.Vocabulary(self.texts, corpus.AUTHORS, corpus.TAGS, corpus.LINKS))

    def query(self, depth: int) -> Made:
        while True:
            made = brute.made(self.random, depth, self.leaf)
            if made.positive and not any(part in made.text for part in ("--", "-(-")):
                return made

    def found(self, made: Made) -> list[Record]:
        """The matches; where no index helps, those of the newest day."""
        since = datetime.now(UTC) - timedelta(days=30 if made.indexed else 1)
        return [row for row in self.posts if made.matches(row) and brute.created(row) >= since]

    def score(self) -> Callable[[Record], tuple[int, str, str]]:
        actors = {(row.collection, row.did, brute.value(row, "subject", "uri")) for row in self.likes}
        points = Counter(uri for kind, _, uri in actors for _ in range(2 if kind.endswith("repost") else 1))
        return lambda row: (points[row.uri], row.rkey, row.did)


@pytest.fixture
def world(service: Service, valkey: object) -> World:
    return World(seed=7)


def walked(service: Service, made: Made, limit: int, **more: object) -> list[str]:
    return [uri for page in service.walk(made.text, limit=limit, **more) for uri in page]


def bounded(made: Made) -> bool:
    """Without a period of its own: `until` moves the day that is searched where no index helps."""
    return made.indexed or "until:" not in made.text


def check(world: World, service: Service, depth: int, queries: int) -> None:
    matched = 0
    for _ in range(queries):
        made = world.query(depth)
        if not bounded(made):
            continue
        expected = world.found(made)
        matched += len(expected)
        limit = world.random.choice([3, 17, 100])
        assert walked(service, made, limit) == newest_first(*expected), made.text
        total = service.search(made.text)["hitsTotal"]
        assert total == len(expected), made.text
    assert matched > 2 * queries


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_newest_first_are_all_matches(world: World, service: Service, depth: int) -> None:
    check(world, service, depth, QUERIES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_newest_first_are_all_matches_of_many_queries(service: Service, valkey: object, seed: int) -> None:
    check(World(seed), service, 2, 200)


@pytest.mark.parametrize("depth", [0, 2])
def test_the_top_are_all_matches_by_likes_and_reposts(world: World, service: Service, depth: int) -> None:
    score = world.score()
    for number in range(QUERIES):
        made = world.query(depth)
        if not bounded(made):
            continue
        # A result is kept for ten minutes: each question is another one.
        made = brute.all_of(made, brute.since(ago(days=20, seconds=number)))
        expected = [row.uri for row in sorted(world.found(made), key=score, reverse=True)]
        assert walked(service, made, world.random.choice([7, 100]), sort="top") == expected, made.text


def test_a_walk_has_each_match_once_while_posts_arrive_and_are_deleted(world: World, service: Service) -> None:
    made = brute.any_of(brute.word("canal"), brute.word("café"), brute.tag("canal"))
    before = world.found(made)
    seen: list[str] = []
    doomed = newest_first(*before)[-1]
    pages = service.walk(made.text, limit=5)
    for number, page in enumerate(pages):
        seen += page
        late = corpus._post(world.random, "en", "canal again", [])
        store(update(late, at=micros(ago()), text="canal again"))
        if number == 0:
            store(*(delete(row, at=ago()) for row in before if row.uri == doomed))
    assert len(set(seen)) == len(seen)
    assert [uri for uri in seen if uri in {row.uri for row in before}] == [
        uri for uri in newest_first(*before) if uri != doomed
    ]
