"""How much feeds are read: counted over HTTP, told to Redis, written to ClickHouse, answered to who has a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.web import probe
from feeds import tasks
from feeds.usage import counting, queries
from feeds.usage.counting import KEPT_DAYS, FeedUsageCount, Recorder
from feeds.usage.queries import DailyUsage, EventCount
from tests.away import redis_away
from tests.feeds import readers
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.service import FEED, SKELETON
from tests.feeds.serving.test_http import error, publish
from tests.tokens import SKELETON as SKELETON_METHOD
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from apikeys.keys import Key
    from tests.feeds.readers import Site

NOW = datetime.now(UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


def viewer(number: int) -> Did:
    return Did(f"did:plc:{number:024}")


def read(*viewers: Did | None, feed: str = "hot", now: datetime = NOW) -> None:
    recorder = Recorder()
    for who in viewers:
        recorder.count("requests", feed, who, now=now)
    recorder.flush()


def write(now: datetime = NOW) -> list[DailyUsage]:
    """Write as the task does, twice; what was written then."""
    for _ in range(2):
        queries.store_usage(counting.counted(now=now))
    return queries.daily_usage(since=TODAY - 60 * DAY)


@pytest.fixture
def stores(clickhouse: None, valkey: redis.Redis) -> None:
    """Both, empty."""


def test_readings_are_written_by_feed_and_day_and_writing_twice_changes_nothing(stores: None) -> None:
    read(viewer(1), viewer(2), viewer(1), None)
    read(viewer(1), feed="top", now=NOW - DAY)
    recorder = Recorder()
    recorder.count("interactions", "hot", viewer(3), times=7, now=NOW)
    recorder.flush()
    assert write() == [DailyUsage("hot", TODAY, 4, 2, 7, 1), DailyUsage("top", TODAY - DAY, 1, 1, 0, 0)]
    read(viewer(3))
    assert write() == [DailyUsage("hot", TODAY, 5, 3, 7, 1), DailyUsage("top", TODAY - DAY, 1, 1, 0, 0)]


def test_events_that_were_written_twice_or_long_ago_or_of_another_feed_are_not_counted(stores: None) -> None:
    def write(id: int, event: str, *, feed: str = "hot", at: datetime = NOW) -> None:
        row = {"received_at": at, "id": id, "feed": feed, "event": event}
        door.insert("feed_interactions", {name: [value] for name, value in row.items()}, name="tests.interaction")

    since = (NOW - DAY).replace(microsecond=0)
    for _ in range(2):  # an answer was lost, so the block was sent again
        write(1, "like")
    write(2, "seen")
    write(3, "seen", at=since)
    write(4, "seen", at=since - timedelta(milliseconds=1))
    write(5, "like", feed="top")
    assert queries.events("hot", since=since) == [EventCount("seen", 2), EventCount("like", 1)]


def test_the_written_counts_of_a_feed_are_its_own_and_of_the_period(stores: None) -> None:
    for feed, ago in (("hot", 0), ("hot", 1), ("hot", 2), ("top", 0)):
        read(viewer(1), feed=feed, now=NOW - ago * DAY)
    write()
    rows = queries.counted("hot", since=TODAY - DAY)
    assert sorted((row.feed, row.day) for row in rows) == [("hot", TODAY - DAY), ("hot", TODAY)]


def test_an_older_count_that_arrives_later_does_not_win(stores: None) -> None:
    read(viewer(1))
    older = counting.counted(now=NOW)
    read(viewer(2))
    write()
    queries.store_usage(older)
    assert queries.daily_usage(since=TODAY) == [DailyUsage("hot", TODAY, 2, 2, 0, 0)]


def test_requests_of_before_and_after_redis_was_lost_are_added_and_readers_are_not(
    stores: None, valkey: redis.Redis
) -> None:
    read(viewer(1), viewer(2), viewer(3))
    write()
    valkey.flushdb()
    read(viewer(1), viewer(2))
    assert write() == [DailyUsage("hot", TODAY, 5, 3, 0, 0)]


def test_days_that_nobody_wrote_are_written_later(stores: None) -> None:
    read(viewer(1), now=NOW - 6 * DAY)
    assert write() == [DailyUsage("hot", TODAY - 6 * DAY, 1, 1, 0, 0)]


def test_who_reads_on_several_days_is_one_reader_of_the_period(stores: None) -> None:
    read(viewer(1), viewer(2), now=NOW - 2 * DAY)
    read(viewer(1), viewer(3))
    assert counting.different_readers(["hot", "top"], 2, now=NOW) == {"hot": 2, "top": 0}
    assert counting.different_readers(["hot"], 3, now=NOW) == {"hot": 3}


def test_a_thousand_readers_are_estimated_within_three_per_cent(stores: None) -> None:
    read(*(viewer(number) for number in range(1000)))
    (row,) = counting.counted(now=NOW)
    assert (row.requests, 970 < row.readers < 1030) == (1000, True)


def test_nothing_in_redis_tells_who_read_and_everything_there_ends(stores: None, valkey: redis.Redis) -> None:
    read(*(viewer(number) for number in range(20)))
    names = valkey.keys("*")
    assert isinstance(names, list)
    assert len(names) == 2
    for name in names:
        assert 0 < valkey.ttl(name) <= KEPT_DAYS * 86_400
        content = name + (valkey.dump(name) or b"")  # type: ignore[operator]
        assert b"did:" not in content
        assert b"0" * 20 not in content
    assert counting.pseudonym(viewer(1)) == counting.pseudonym(viewer(1)) != counting.pseudonym(viewer(2))
    # As it was when the rows of the last 30 days were written, or nobody's could be removed.
    assert counting.pseudonym(Did("did:plc:aaaa"), secret_key="k").hex() == "4506a03fd71df996866863c8da441328"


def test_what_is_counted_while_redis_is_away_is_lost_and_said_so(stores: None) -> None:
    recorder = Recorder()
    before = counting.LOST.labels(what="requests")._value.get()
    with redis_away():
        recorder.count("requests", "hot", viewer(1), now=NOW)
        recorder.count("requests", "hot", None, now=NOW)
        recorder.flush()
    assert counting.LOST.labels(what="requests")._value.get() == before + 2
    recorder.count("requests", "hot", viewer(1), now=NOW)
    recorder.flush()
    (row,) = counting.counted(now=NOW)
    assert row == FeedUsageCount("hot", TODAY, row.counter, 1, 1, 0, 0)


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with readers.running(tmp_path_factory.mktemp("feedgen")) as site:
        yield site


@pytest.fixture
def site(process: Site, stores: None, transactional_db: None, django_db_blocker: DjangoDbBlocker) -> Site:
    """The running site, whose feed has three posts."""
    readers.define_feeds(django_db_blocker)
    publish(3)
    until(lambda: ask(process, limit=1) == 200)
    return process


def ask(site: Site, did: str | None = None, **params: str | int) -> int:
    headers = {} if did is None else {"Authorization": site.token(iss=did, lxm=SKELETON_METHOD)}
    return site.service.http.get(SKELETON, params={"feed": FEED, **params}, headers=headers).status_code


def requests_of_today() -> tuple[int, int]:
    rows = counting.counted(now=datetime.now(UTC))
    return sum(row.requests for row in rows), max([0, *(row.readers for row in rows)])


def test_pages_count_and_polls_errors_and_readers_nobody_can_verify_do_not(site: Site) -> None:
    first, second, unverifiable = site.someone(), site.someone(), readers.new_did()
    site.network.answers[f"/{unverifiable}"] = 503
    statuses = [
        ask(site),
        ask(site, limit=1),
        ask(site, first, limit=1),
        ask(site, first),
        ask(site, first, limit=2),
        ask(site, second),
        ask(site, unverifiable),
        ask(site, first, limit=0),
        ask(site, first, cursor="garbage"),
    ]
    assert statuses == [200] * 7 + [400] * 2
    until(lambda: requests_of_today() == (4, 2), requests_of_today)


def test_what_the_site_asks_itself_at_its_start_is_no_use_of_a_feed(site: Site) -> None:
    def probed(value: str) -> int:
        return site.service.http.get(SKELETON, params={"feed": FEED}, headers={probe.HEADER: value}).status_code

    # The running service has the key of this test session.
    assert [probed(probe.proof()), probed(probe.proof()), probed("a guess"), ask(site)] == [200] * 4
    until(lambda: requests_of_today() == (2, 0), requests_of_today)


def key_for(*scopes: str, feeds: tuple[str, ...] = ()) -> Key:
    key = keys.mint()
    add_key(key, scopes=list(scopes), feeds=list(feeds))
    return key


def admin_feeds(site: Site, key: Key, **params: int) -> Any:
    response = site.service.http.get("/admin/feeds", params=params, headers={"X-API-Key": key.text})
    assert response.status_code == 200, response.text
    return {feed["name"]: feed for feed in response.json()["feeds"]}


def test_a_key_for_statistics_is_told_how_much_each_feed_is_read(site: Site) -> None:
    reader = site.someone()
    assert [ask(site, reader), ask(site)] == [200, 200]
    assert site.send({"feed": FEED, "interactions": [{}] * 3}, iss=reader).status_code == 200
    until(lambda: requests_of_today() == (2, 1) and counting.counted(now=datetime.now(UTC))[0].interactions == 3)
    tasks.write_usage()
    read(viewer(1), viewer(2), feed="whats-hot", now=NOW - DAY)
    tasks.write_usage()
    today, yesterday = datetime.now(UTC).date(), (datetime.now(UTC) - DAY).date()
    expected = {
        "name": "whats-hot",
        "uri": f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot",
        "kind": "hot",
        "displayName": "What's Hot",
        "requests": 4,
        "distinctUsers": 3,
        "interactions": 3,
        "days": [
            {"day": str(yesterday), "requests": 2, "distinctUsers": 2, "interactions": 0, "interactingUsers": 0},
            {"day": str(today), "requests": 2, "distinctUsers": 1, "interactions": 3, "interactingUsers": 1},
        ],
    }
    key = key_for("stats")
    assert admin_feeds(site, key)["whats-hot"] == expected
    only_today = {**expected, "requests": 2, "distinctUsers": 1, "days": expected["days"][1:]}  # type: ignore[index]
    assert admin_feeds(site, key, days=1)["whats-hot"] == only_today


def test_a_key_for_members_is_told_of_its_feeds(site: Site) -> None:
    assert list(admin_feeds(site, key_for("members", feeds=("whats-hot",)))) == ["whats-hot"]
    assert admin_feeds(site, key_for("members", feeds=("other",))) == {}


def test_the_period_has_limits(site: Site) -> None:
    headers = {"X-API-Key": key_for("stats").text}
    for days in ("0", str(KEPT_DAYS + 1), "x"):
        response = site.service.http.get("/admin/feeds", params={"days": days}, headers=headers)
        assert error(response) == (400, "InvalidRequest")


def test_each_key_has_its_answer(site: Site) -> None:
    good, revoked = key_for("stats"), key_for("stats")
    ApiKey.objects.get(key_id=revoked.id).revoke()

    def answer(headers: dict[str, str]) -> tuple[int, str | None]:
        response = site.service.http.get("/admin/feeds", headers=headers)
        return (200, None) if response.status_code == 200 else error(response)

    answers = {
        "none": answer({}),
        "a token": answer({"Authorization": site.token()}),
        "bad": answer({"X-API-Key": "garbage"}),
        "unknown": answer({"X-API-Key": keys.mint().text}),
        "wrong secret": answer({"X-API-Key": keys.Key(good.id, keys.mint().secret).text}),
        "revoked": answer({"X-API-Key": revoked.text}),
        "wrong scope": answer({"X-API-Key": key_for("search", "cleanup").text}),
        "good": answer({"X-API-Key": good.text}),
        "good, as bearer": answer({"Authorization": f"Bearer {good.text}"}),
    }
    refused = (401, "AuthenticationRequired")
    assert answers == {
        "none": refused,
        "a token": refused,
        "bad": refused,
        "unknown": refused,
        "wrong secret": refused,
        "revoked": refused,
        "wrong scope": (403, "Forbidden"),
        "good": (200, None),
        "good, as bearer": (200, None),
    }
    ApiKey.objects.get(key_id=good.id).revoke()
    assert answer({"X-API-Key": good.text}) == refused
