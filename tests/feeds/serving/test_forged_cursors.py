"""Forged cursors and cold first pages, over HTTP: what an anonymous client asks for has no ranking made, or one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from atsite.core import cursor_format
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clock import now_us
from tests.feeds import service as services
from tests.feeds import worlds
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.service import FEED, PATIENT_SECONDS, SKELETON, Service
from tests.feeds.serving.test_http import publish
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

SECOND = 1_000_000
CONNECTIONS = 40
#: The statements with which a ranking begins (feeds.kinds.like_counts).
RANKINGS = """
SELECT count() FROM system.query_log
WHERE type = 'QueryStart' AND log_comment = 'feeds.liked_candidates' AND current_database = currentDatabase()
"""
TOP = FEED.replace("whats-hot", "top-24h")


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with services.running(tmp_path_factory.mktemp("feedgen")) as service:
        yield service


@pytest.fixture
def service(process: Service, clickhouse: None, valkey: redis.Redis) -> Service:
    return process


def rankings_begun() -> int:
    door.execute("SYSTEM FLUSH LOGS query_log", name="tests.flush")
    return int(door.scalar(RANKINGS, name="tests.rankings_begun"))


def at_once(service: Service, call: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """What `call` gets on so many connections of its own at the same time."""

    def on_its_own(number: int) -> httpx.Response:
        with httpx.Client(base_url=service.http.base_url, timeout=PATIENT_SECONDS, trust_env=False) as client:
            return call(client, number)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return list(threads.map(on_its_own, range(CONNECTIONS)))


def forged(number: int) -> str:
    """A cursor of some moment of the last half hour, of either kind that names a ranking."""
    moment = now_us() - (number + 1) * 15 * SECOND
    moment -= moment % (15 * SECOND)
    if number % 2:
        return cursor_format.encode("ranked", tid_of_micros(moment, number), 1)
    return cursor_format.encode("computed", moment, 1.0, "3laaaaaaaaaa2", PUBLISHER)


def test_forged_cursors_have_no_ranking_made_and_others_read_on(service: Service) -> None:
    expected = publish(30)
    assert service.page(limit=30)[0] == expected
    begun = rankings_begun()

    def call(client: httpx.Client, number: int) -> httpx.Response:
        if number % 10 == 0:  # a reader among them
            return client.get(SKELETON, params={"feed": FEED, "limit": 30})
        return client.get(SKELETON, params={"feed": FEED, "cursor": forged(number)})

    answers = at_once(service, call)
    assert {answer.status_code for answer in answers} == {200}
    assert [len(answer.json()["feed"]) for answer in answers] == [0 if number % 10 else 30 for number in range(40)]
    assert all("cursor" not in answer.json() for number, answer in enumerate(answers) if number % 10)
    assert rankings_begun() == begun


def test_first_pages_of_a_feed_without_a_ranking_have_one_made_for_all(service: Service) -> None:
    store(*worlds.liked_posts(30, now=now_us(), likes=12))
    begun = rankings_begun()
    answers = at_once(service, lambda client, _: client.get(SKELETON, params={"feed": TOP, "limit": 30}))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert all((answer.status_code, answer.headers["Retry-After"]) == (503, "1") for answer in refused)
    read = service.http.get(SKELETON, params={"feed": TOP, "limit": 30})  # comes again where it is told to
    pages = [answer.json() for answer in answers if answer.status_code == 200]
    assert read.status_code == 200
    assert all(page == read.json() for page in pages)
    assert len(read.json()["feed"]) == 30
    assert rankings_begun() == begun + 1
    made = re.findall(r'^feed_rankings_computed_total\{feed="top-24h",outcome="made"\} (\S+)', service.metrics(), re.M)
    assert made == ["1.0"]
