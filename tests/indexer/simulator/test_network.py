from __future__ import annotations

import json

import pytest

from atsite.core.atproto.tid import micros_of_tid
from indexer.simulator.network.event_pattern import PATTERN, SLOTS, TARGETS, Kind, target_of
from indexer.simulator.network.events import DISORDER_US, Network
from indexer.simulator.network.population import DELETED, Population
from indexer.simulator.network.timeline import HOUR, Timeline
from tests.indexer.simulator.fold import LIKE, POST, Fold

EPOCH = 1_790_000_000_000_000
# 300 blocks before the epoch and 100 after: long enough for every kind of event and each account's way.
SMALL = Timeline(seed=7, epoch_us=EPOCH, actors=60, preroll_events=60_000, preroll_hours=24)
EVENTS = SMALL.first_live + 20_000


@pytest.fixture(scope="module")
def fold() -> Fold:
    """The small network, every event checked."""
    network, fold = Network(SMALL), Fold()
    for number in range(EVENTS):
        fold.add(network.event(number))
    return fold


def test_every_event_makes_sense_after_those_before_it(fold: Fold) -> None:
    assert len(fold.times) == EVENTS


def test_every_kind_of_event_occurs(fold: Fold) -> None:
    feeds = {f"app.bsky.feed.{name} {operation}" for name in ("like", "repost") for operation in ("create", "delete")}
    graph = {f"app.bsky.graph.{name} {operation}" for name in ("follow", "block") for operation in ("create", "delete")}
    posts = {f"{POST} {operation}" for operation in ("create", "update", "delete")}
    foreign = {f"test.demo.chess.move {operation}" for operation in ("create", "update", "delete")}
    profiles = {"app.bsky.actor.profile create", "app.bsky.actor.profile update"}
    statuses = ("active", "deactivated", "deleted", "suspended", "takendown")
    accounts = {f"account {status}" for status in statuses}
    expected = feeds | graph | posts | foreign | profiles | accounts | {"identity"}
    assert expected - set(fold.kinds) == set()


def test_every_feature_of_posts_occurs(fold: Fold) -> None:
    fields = {"createdAt", "embed", "facets", "labels", "langs", "reply", "tags"}
    facets = {f"app.bsky.richtext.facet#{name}" for name in ("link", "mention", "tag")}
    embeds = {f"app.bsky.embed.{name}" for name in ("external", "images", "record", "recordWithMedia", "video")}
    languages = {f"lang {name}" for name in ["de", "en", "es", "fr", "ja", "ko", "pt", "ru", "th", "zh"]}
    expected = fields | facets | embeds | languages | {"image with alt", "image without alt"}
    assert expected - set(fold.features) == set()
    posts = fold.kinds[f"{POST} create"] + fold.kinds[f"{POST} update"]
    assert 0 < posts - fold.features["createdAt"] < posts // 100, "a few posts have no date"


def test_time_us_goes_back_but_never_by_more_than_50_ms(fold: Fold) -> None:
    latest, backward = 0, 0
    for time in fold.times:
        assert time > latest - DISORDER_US
        backward += time < latest
        latest = max(latest, time)
    assert backward > 20_000 // 10, "of the live events, which are 20 ms apart, about one in five"


def test_the_same_seed_and_epoch_make_the_same_events_in_any_order() -> None:
    numbers = [*range(500), *range(SMALL.founding, SMALL.founding + 3_000), *range(EVENTS - 500, EVENTS)]
    forward, backward = Network(SMALL), Network(SMALL)
    first = {number: forward.event(number) for number in numbers}
    second = {number: backward.event(number) for number in reversed(numbers)}
    assert first == second


def test_another_seed_makes_another_network() -> None:
    other = Network(Timeline(seed=8, epoch_us=EPOCH, actors=60, preroll_events=60_000, preroll_hours=24))
    network = Network(SMALL)
    assert not {network.event(number) for number in range(1_000)} & {other.event(number) for number in range(1_000)}


def test_a_year_after_the_epoch_events_are_there_at_once() -> None:
    network = Network(SMALL)
    number = network.first_from(EPOCH + 365 * 24 * HOUR)
    assert number > 1_500_000_000
    event = json.loads(network.event(number))
    assert event["time_us"] == network.time_us(number) >= EPOCH + 365 * 24 * HOUR > network.time_us(number - 10)


def test_the_first_event_from_a_cursor_is_the_first_at_or_after_it() -> None:
    network = Network(SMALL)
    times = [network.time_us(number) for number in range(EVENTS - 400, EVENTS)]
    for cursor in (times[200] - 1, times[200], times[200] + 1):
        expected = next(index for index, time in enumerate(times) if time >= cursor)
        assert network.first_from(cursor) == EVENTS - 400 + expected


def test_no_record_is_undone_twice() -> None:
    for kind in set(TARGETS) - {Kind.POST_EDIT, Kind.FOREIGN_UPDATE}:
        targets = [target_of(kind, slot)[0] for slot in SLOTS[kind]]
        assert len(set(targets)) == len(targets)
        assert {PATTERN[slot] for slot in targets} == {TARGETS[kind][0]}


def test_lifecycles_never_reach_an_actor_before_its_birth() -> None:
    network = Network(SMALL)
    population: Population = network.population
    for block in range(20_000):
        change = population.account_change(block)
        if change is not None:
            assert change.actor < population.founders + block // 5


def test_a_deleted_account_is_silent_and_one_in_sixteen_returns_empty(fold: Fold) -> None:
    network = Network(SMALL)
    population = network.population
    deleted = [actor for actor in range(60 + 70) if actor & 7 == DELETED and population.away(actor)[0] < EVENTS]
    gone = [actor for actor in deleted if population.away(actor)[1] > EVENTS]
    back = sorted(set(deleted) - set(gone))
    assert len(deleted) == fold.kinds["account deleted"]
    assert all(not fold.active[population.did(actor)] and not fold.repos[population.did(actor)] for actor in gone)
    assert [actor >> 3 for actor in back] == [5]
    assert all(fold.active[population.did(actor)] for actor in back)


@pytest.mark.slow
def test_the_preroll_of_the_demo_has_enough_for_every_feed() -> None:
    timeline = Timeline(seed=1, epoch_us=EPOCH)
    assert 250_000 <= timeline.preroll_events <= timeline.first_live <= 300_000
    network, fold = Network(timeline), Fold()
    for number in range(timeline.first_live):
        fold.add(network.event(number))
    likes: dict[int, list[int]] = {24: [], 72: []}
    for did, repo in fold.repos.items():
        for (collection, rkey), record in repo.items():
            if collection != POST or "reply" in record or not fold.active[did]:
                continue
            count = len(fold.likers[f"at://{did}/{collection}/{rkey}"])
            age = EPOCH - micros_of_tid(rkey)
            for hours, counts in likes.items():
                if 5 * 60_000_000 < age < hours * HOUR:
                    counts.append(count)
    assert sum(count > 20 for count in likes[24]) >= 200
    assert sum(count > 100 for count in likes[24]) >= 20
    assert sum(count > 20 for count in likes[72]) > sum(count > 20 for count in likes[24])
    assert fold.kinds[f"{LIKE} create"] > timeline.first_live // 3
