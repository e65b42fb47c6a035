"""/stats over HTTP is a brute-force count of the same events, however often they are delivered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.cache import cache

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import is_tid, micros_of_tid
from atsite.core.atproto.timestamps import micros_of_datetime
from indexer.index import stats as indexer_stats
from search import tasks
from search.stats import site_stats
from tests.builders import (
    BLOCK,
    FOLLOW,
    LIKE,
    POST,
    REPOST,
    Record,
    ago,
    block,
    delete,
    follow,
    like,
    post,
    recreate,
    repost,
    store,
)
from tests.search.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

AUTHORS: Final = [Did(f"did:plc:{letter * 24}") for letter in "abcdefghijklmnop"]
KINDS: Final = {POST: "posts", LIKE: "likes", REPOST: "reposts", FOLLOW: "follows", BLOCK: "blocks"}
ACTORS: Final = {
    POST: "postActors",
    LIKE: "likeActors",
    REPOST: "repostActors",
    FOLLOW: "followActors",
    BLOCK: "blockActors",
}
DAYS: Final = 5
MINUTE, DAY = 60_000_000, 24 * 3600 * 1_000_000


@pytest.fixture(scope="module")
def events() -> list[Record]:
    """Four days of all kinds; some taken back and some of these made again; a few that belong to no day."""
    random = Random(5)
    made: list[Record] = []
    for _ in range(300):
        at = ago(days=random.uniform(0.1, 4))
        author, other = random.sample(AUTHORS, 2)
        images = random.choices(["", "a cat"], k=random.randint(0, 4))
        made.append(post(author, at=at, text=f"word {at}", images=images))
        subject = random.choice(made)
        made.append(like(other, subject if subject.collection == POST else made[0], at=at))
        made.append(random.choice([follow, block])(author, other, at=at))
        made.append(repost(other, made[0], at=at))
    odd = [
        post(AUTHORS[0], at=ago(days=1), text="named", rkey="self"),
        post(AUTHORS[0], at=ago(days=1), rev_at=ago(days=1, minutes=5), text="ahead of its rev"),
        post(AUTHORS[0], at=ago(days=1), text="imported", created_at="2019-01-01T00:00:00Z"),
        like(AUTHORS[0], made[0], at=ago(days=1), rkey="self"),
        repost(AUTHORS[0], made[0], at=ago(days=1), rkey="self"),
    ]
    deleted = [delete(record, at=ago(hours=2)) for record in random.sample(made, 200)]
    again = [recreate(record, at=ago(hours=1)) for record in random.sample(made, 50)]
    found = [post(AUTHORS[1], at=ago(days=2), text="found later", source="backfill")]
    return [*made, *odd, *deleted, *again, *found]


def counted(events: list[Record]) -> dict[str, Any]:
    """What /stats must say of them, but for the time of the count."""
    newest: dict[tuple[str, str, str], Record] = {}
    for event in sorted(events, key=lambda event: event.version):
        newest[event.collection, event.did, event.rkey] = event
    live = [event for event in newest.values() if event.record is not None]
    return {
        "totals": {name: sum(event.collection == kind for event in live) for kind, name in KINDS.items()},
        "withoutDay": {
            name: sum(event.collection == kind and not eligible(event) for event in live)
            for kind, name in list(KINDS.items())[:3]
        },
        "days": [of_day(events, live, day) for day in sorted({day_of(event.version >> 10) for event in events})],
    }


def eligible(event: Record) -> bool:
    if not is_tid(event.rkey) or micros_of_tid(event.rkey) > (event.version >> 10) + 2 * MINUTE:
        return False
    if event.collection != POST or event.record is None:
        return True
    return micros_of_datetime(str(event.record["createdAt"])) >= micros_of_tid(event.rkey) - DAY


def of_day(events: list[Record], live: list[Record], day: str) -> dict[str, Any]:
    dated = [
        event
        for event in live
        if event.source == "jetstream" and eligible(event) and day_of(micros_of_tid(event.rkey)) == day
    ]
    created = [
        event
        for event in events
        if (event.operation, event.source) == ("create", "jetstream") and day_of(event.version >> 10) == day
    ]
    gone = {(event.collection, event.did, event.rkey): event.version for event in events if event.record is None}
    graph = {
        (event.collection, event.did, event.rkey)
        for event in created
        if event.version > gone.get((event.collection, event.did, event.rkey), 0)
    }
    images = [len(event.record["embed"]["images"]) for event in dated if event.record and "embed" in event.record]
    alts = [
        sum(image["alt"] != "" for image in event.record["embed"]["images"])
        for event in dated
        if event.record and "embed" in event.record
    ]
    return {
        "day": day,
        **{KINDS[kind]: sum(event.collection == kind for event in dated) for kind in (POST, LIKE, REPOST)},
        **{KINDS[kind]: sum(key[0] == kind for key in graph) for kind in (FOLLOW, BLOCK)},
        "postsWithImages": len(images),
        "images": sum(images),
        "imagesWithAlt": sum(alts),
        **{name: len({event.did for event in created if event.collection == kind}) for kind, name in ACTORS.items()},
        "actors": len({event.did for event in created}),
    }


def day_of(unix_micros: int) -> str:
    return datetime.fromtimestamp(unix_micros / 1_000_000, UTC).date().isoformat()


def answer(service: Service, days: int = DAYS) -> dict[str, Any]:
    """/stats without the time of the count and what is counted once a day."""
    response = service.get("/stats", days=days)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    del body["computedAt"], body["audience"]
    return body


def test_the_answer_is_a_count_of_the_events_also_when_all_come_again(
    service: Service, valkey: redis.Redis, events: list[Record]
) -> None:
    Random(6).shuffle(shuffled := list(events))
    store(*events)
    indexer_stats.rewrite_daily_stats(now=datetime.now(UTC))
    tasks.refresh_stats()
    expected = counted(events)
    assert answer(service) == expected

    store(*shuffled)
    indexer_stats.rewrite_daily_stats(now=datetime.now(UTC))
    tasks.refresh_stats()

    assert answer(service) == expected


def test_an_empty_site_has_zeros(service: Service, valkey: redis.Redis) -> None:
    assert answer(service) == {
        "totals": {"posts": 0, "likes": 0, "reposts": 0, "follows": 0, "blocks": 0},
        "withoutDay": {"posts": 0, "likes": 0, "reposts": 0},
        "days": [],
    }


def test_days_says_how_many_days_of_the_series(service: Service, valkey: redis.Redis) -> None:
    today = datetime.now(UTC).date()
    store(*(post(AUTHORS[0], at=ago(days=days), text="word") for days in range(4)))
    indexer_stats.rewrite_daily_stats(now=datetime.now(UTC))

    assert [day["day"] for day in answer(service, days=2)["days"]] == [str(today - timedelta(days=1)), str(today)]
    assert len(answer(service, days=366)["days"]) == 4
    assert service.refused("/stats", days=0)[2] == "days: Input should be greater than or equal to 1"
    assert service.refused("/stats", days=367)[2] == "days: Input should be less than or equal to 366"


def test_the_cached_count_is_answered_with_its_time(service: Service, valkey: redis.Redis) -> None:
    before = datetime.now(UTC).replace(microsecond=0)  # JSON carries milliseconds
    tasks.refresh_stats()
    after = datetime.now(UTC)
    store(post(AUTHORS[0], at=ago(hours=1), text="counted next time"))

    body = service.get("/stats").json()

    assert before <= datetime.fromisoformat(body["computedAt"]) <= after
    assert body["totals"]["posts"] == 0


@pytest.mark.parametrize("entry", ["", "null", "[]", '{"value": {}}', '{"value": {"posts": 1}, "computed_at": "x"}'])
def test_a_cache_entry_of_another_form_is_counted_anew(service: Service, valkey: redis.Redis, entry: str) -> None:
    valkey.set(cache.make_key(site_stats.TOTALS.key), entry)
    store(post(AUTHORS[0], at=ago(hours=1), text="word"))

    assert answer(service)["totals"]["posts"] == 1


@pytest.fixture
def without_redis(clickhouse: None) -> Iterator[Service]:
    """A service whose Redis does not answer."""
    yield from running(REDIS_ADDRESS="127.0.0.1:1")


def test_without_redis_it_still_answers(without_redis: Service) -> None:
    store(post(AUTHORS[0], at=ago(hours=1), text="word"))
    first = without_redis.get("/stats").json()
    store(post(AUTHORS[0], at=ago(hours=2), text="word"))

    assert first["totals"]["posts"] == 1
    assert without_redis.get("/stats").json() == first
    assert without_redis.found("word") != []
