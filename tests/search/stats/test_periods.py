"""/stats/period, percentiles and first posts over HTTP are a brute-force count of the same events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

import pytest

from atsite.core.atproto.syntax import Did
from indexer.index.purge import purge_dead
from search import tasks
from search.stats import site_stats
from tests.builders import (
    ALICE,
    BLOCK,
    BOB,
    CAROL,
    FOLLOW,
    LIKE,
    POST,
    REPOST,
    Record,
    ago,
    block,
    delete,
    floor,
    follow,
    like,
    post,
    profile,
    repost,
    store,
)

if TYPE_CHECKING:
    import redis

    from tests.search.service import Service

KINDS: Final = {
    POST: "postActors",
    LIKE: "likeActors",
    REPOST: "repostActors",
    FOLLOW: "followActors",
    BLOCK: "blockActors",
}
HOUR: Final = timedelta(hours=1)


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def made() -> list[Record]:
    """100 days of all kinds by 40 accounts; more of them lately."""
    random = Random(7)
    dids = [Did(f"did:plc:{random.randbytes(12).hex()}") for _ in range(40)]
    records: list[Record] = [profile(dids[0], at=ago(hours=3), name="only a profile")]
    for _ in range(150):
        at = ago(hours=1 + 2400 * random.random() ** 4)
        author, other = random.sample(dids, 2)
        kind = random.choice([POST, LIKE, REPOST, FOLLOW, BLOCK])
        subject = f"at://{other}/app.bsky.feed.post/3kaaaaaaaaaaa"
        make_about = {LIKE: like, REPOST: repost}
        make_graph = {FOLLOW: follow, BLOCK: block}
        if kind == POST:
            records.append(post(author, at=at))
        elif kind in make_about:
            records.append(make_about[kind](author, subject, at=at))
        else:
            records.append(make_graph[kind](author, other, at=at))
    return records


def counted(records: list[Record], since: datetime) -> dict[str, Any]:
    """The distinct actors since then."""
    since_us = int(since.timestamp()) * 1_000_000
    actors = [(event.collection, event.did) for event in records if event.version >> 10 >= since_us]
    numbers = {name: len({did for kind, did in actors if kind == of}) for of, name in KINDS.items()}
    numbers["actors"] = len({did for _, did in actors})
    return {name: {"count": count, "exact": True, "error": 0.0} for name, count in numbers.items()}


def period(service: Service, window: str) -> dict[str, Any]:
    response = service.get("/stats/period", lookback_window=window)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def check(service: Service, records: list[Record]) -> None:
    tasks.refresh_stats()
    for window, hours in {"1h": 1, "2h": 2, "24h": 24, "36h": 36, "7d": 168, "30d": 720, "90d": 2160}.items():
        body = period(service, window)
        since = datetime.fromisoformat(body["since"])
        assert datetime.fromisoformat(body["until"]) - since == hours * HOUR
        expected = counted(records, since)
        assert {name: body[name] for name in expected} == expected


def test_a_window_counts_its_events_also_when_all_come_again_or_are_deleted(
    service: Service, valkey: redis.Redis
) -> None:
    records = made()
    store(*records)
    check(service, records)
    store(*reversed(records))
    check(service, records)

    store(*(delete(each, at=ago(minutes=1)) for each in records[::3]))
    store(floor(Did(records[1].did), at=ago(minutes=1)))
    purge_dead(now=datetime.now(UTC))
    check(service, records)


def test_a_window_has_the_first_microsecond_of_its_first_hour(service: Service, valkey: redis.Redis) -> None:
    start = this_hour() - 2 * HOUR
    store(post(ALICE, at=start), post(BOB, at=start - timedelta(microseconds=1)))
    tasks.refresh_stats()
    until = datetime.fromisoformat(period(service, "1h")["until"])
    hours = (until - start) // HOUR

    assert [period(service, f"{each}h")["actors"]["count"] for each in (hours - 1, hours, hours + 1)] == [0, 1, 2]


WRONG: Final = ["", "0h", "24", "h", "-1h", "1.5d", "91d", "2161h", "1w", "24H", "24h ", "²h", "9" * 50]


@pytest.mark.parametrize("window", WRONG)
def test_another_window_is_refused_with_what_is_allowed(service: Service, valkey: redis.Redis, window: str) -> None:
    status, name, message = service.refused("/stats/period", lookback_window=window)
    assert (status, name) == (400, "InvalidRequest")
    assert message == "lookback_window is a number of hours or days, such as 36h or 7d, from 1h to 90d"


def test_many_accounts_are_within_the_error_that_the_answer_gives(service: Service, valkey: redis.Redis) -> None:
    many = 12_000
    dids = [Did(f"did:plc:{each:024d}") for each in range(many)]
    store(*(like(did, f"at://{ALICE}/{POST}/3kaaaaaaaaaaa", at=ago(hours=1)) for did in dids))
    store(*(repost(did, f"at://{ALICE}/{POST}/3kaaaaaaaaaaa", at=ago(hours=1)) for did in dids[:2000]))
    tasks.refresh_stats()
    found = period(service, "24h")["likeActors"]

    assert (found["exact"], found["error"]) == (False, 0.01)
    assert abs(found["count"] - many) <= found["error"] * many
    assert period(service, "24h")["repostActors"] == {"count": 2000, "exact": True, "error": 0.0}


def test_all_who_ask_a_cold_site_share_one_count(service: Service, valkey: redis.Redis) -> None:
    store(post(ALICE, at=ago(hours=1)))
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda days: period(service, f"{days}d"), range(2, 10)))

    assert {answer["actors"]["count"] for answer in answers} == {1}
    assert len({answer["updatedAt"] for answer in answers}) == 1


def test_an_answer_stays_as_it_was_counted_and_says_when(service: Service, valkey: redis.Redis) -> None:
    store(post(ALICE, at=ago(hours=1)))
    cold = period(service, "2d")
    store(post(BOB, at=ago(hours=1)))

    assert cold["actors"]["count"] == 1
    assert period(service, "2d") == cold


def test_followers_are_live_and_each_counts_once(service: Service, valkey: redis.Redis) -> None:
    dids = [Did(f"did:plc:{letter * 24}") for letter in "abcdefghijk"]
    follows = [follow(dids[i], dids[j], at=ago(hours=9, minutes=i)) for i in range(11) for j in range(i)]
    again = follow(dids[10], dids[0], at=ago(hours=2))
    gone = follow(dids[0], CAROL, at=ago(hours=2))
    store(*follows, again, gone, delete(gone, at=ago(hours=1)))
    store(*follows, again, gone)
    body = service.get("/stats").json()["audience"]

    counts = sorted(10 - j for j in range(10))
    assert body["followers"]["accounts"] == len(counts)
    assert body["followers"]["most"] == 10
    assert body["followers"]["percentiles"] == {
        f"p{percent}": counts[min(int(percent / 100 * len(counts)), len(counts) - 1)]
        for percent in (10, 25, 50, 75, 90, 95, 99)
    }
    assert abs(body["followers"]["percentiles"]["p50"] - quantiles(counts, n=2)[0]) <= 0.5


def test_first_posts_are_shown_once_30_days_are_covered(service: Service, valkey: redis.Redis) -> None:
    early, late = post(ALICE, at=ago(days=29)), post(BOB, at=ago(days=1))
    store(early, late)
    tasks.refresh_stats()
    body = service.get("/stats").json()["audience"]
    assert body["firstTimePosters"] is None
    assert "before this index covers 30 days" in body["firstTimePostersNote"]

    gone = post(CAROL, at=ago(days=3))
    store(like(CAROL, early, at=ago(days=35)), gone, post(CAROL, at=ago(days=2)), post(BOB, at=ago(hours=1)))
    store(delete(gone, at=ago(hours=1)), late, early)
    site_stats.AUDIENCE.refresh()
    body = service.get("/stats").json()["audience"]
    days = [ago(days=2).date().isoformat(), ago(days=1).date().isoformat()]
    assert body["firstTimePosters"] == [{"day": day, "accounts": 1} for day in days]
