"""Rounds of asking a simulated network, with the real stores: who is asked, how often, and what is written."""

from __future__ import annotations

import dataclasses
from itertools import count
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
import redis

from atsite.core import kv
from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clock import now_us
from atsite.core.config import config
from atsite.core.kv.lock import single_flight
from feeds.models import FeedDefinition
from feeds.ranking.feed import PostKey
from feeds.ranking.generations import Generations
from feeds.ranking.ranking import Generation
from feeds.serving.registry import ranked_feeds, registry
from indexer.fill import due_actors, queries, run
from indexer.fill.profile_sources import PAUSE_SECONDS, AppView
from indexer.fill.profiles import Profile
from indexer.index import do_not_index
from indexer.index.needed_actors import TO_FILL
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.repos import Repos
from indexer.simulator.network.timeline import Timeline
from indexer.simulator.serving.network_source import NetworkSource
from indexer.simulator.serving.plc_directory import Directory
from indexer.simulator.serving.xrpc import Xrpc
from labels import membership
from labels.models import Label
from search.posts import recently_shown
from tests.away import closed_port
from tests.builders import ago, identity, micros, post, store
from tests.indexer.conftest import index
from tests.indexer.schema import tables
from tests.indexer.simulator.jetstream import simulated_jetstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.indexer.simulator.jetstream import ThreadedJetstream

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

ACTORS = 60
EVENTS = 4_000


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(Timeline(seed=5, epoch_us=now_us(), actors=ACTORS, rate=1, preroll_events=EVENTS, preroll_hours=3))


@pytest.fixture(scope="module")
def sparse(network: Network) -> Iterator[ThreadedJetstream]:
    """A network whose beginning the stream does not tell, and its accounts."""
    identities = Identities(network)
    pages = {"directory": Directory(identities), "xrpc": Xrpc(identities, Repos(network))}
    with simulated_jetstream(NetworkSource(network, sparse=True), **pages) as jetstream:
        yield jetstream


@pytest.fixture
def asked(sparse: ThreadedJetstream, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The site's AppView is the simulated one, asked quickly; what it was asked since."""
    monkeypatch.setattr(run, "config", dataclasses.replace(config, appview_url=sparse.server.origin))
    monkeypatch.setattr(AppView, "pace", 1_000.0)
    sparse.server.requests.clear()
    return sparse.server.requests


def dids(network: Network, *actors: int) -> list[Did]:
    return [Did(network.population.did(actor)) for actor in actors]


def filled() -> dict[str, str]:
    """did -> handle of what was asked, in no order."""
    rows = tables.rows("SELECT did, handle FROM actor_fills FINAL", "did", "handle")
    return {row["did"]: row["handle"] for row in rows}


def handles(network: Network, *actors: int) -> dict[str, str]:
    identities = Identities(network)
    return {did: identities.handle(did, now_us()) or "" for did in dids(network, *actors)}


@TO_FILL.only(due_actors.recent_posters)
def test_every_poster_of_a_sparse_stream_gets_a_name_and_counts(
    sparse: ThreadedJetstream, network: Network, asked: list[str]
) -> None:
    index(sparse.url, events=EVENTS - 500)
    posters = set(door.column("SELECT DISTINCT did FROM posts", name="tests.posters"))
    nameless = posters - set(door.column("SELECT did FROM actors WHERE handle != ''", name="tests.named"))
    assert len(nameless) > len(posters) / 2

    assert run.fill() == len(posters)

    named = set(door.column("SELECT did FROM actors WHERE handle != '' AND display_name != ''", name="tests.named"))
    inactive = set(door.column("SELECT did FROM actor_accounts FINAL WHERE active = 0", name="tests.inactive"))
    assert posters - inactive <= named
    counted = door.column("SELECT did FROM actor_counts WHERE followers > 0 AND source = 'appview'", name="tests.c")
    assert len(counted) > len(posters) / 2
    assert len([target for target in asked if "getProfiles" in target]) == -(-len(posters) // 25)
    assert run.fill() == 0, "who is fresh is not asked again"


def test_the_most_needed_are_asked_first_and_each_once(network: Network, asked: list[str]) -> None:
    member, ranked, hit, poster = dids(network, 4, 5, 6, 7)
    Label.objects.create(name="friends")
    membership.assign("friends", member, by="admin")
    now = now_us()
    rkey = tid_of_micros(now)
    generation = Generation(rkey, (PostKey(rkey, ranked), PostKey(rkey, member)))
    FeedDefinition.objects.create(publisher=member, rkey="hot", kind="hot", parameters={})
    (feed,) = ranked_feeds(registry())
    Generations().store(feed.definition.key, generation, now=now)
    recently_shown.remember({hit, ranked})
    store(post(poster, at=ago(minutes=1)), post(hit, at=ago(minutes=2)))

    order = list(due_actors.due(TO_FILL.providers(), now=now))

    assert order[:2] == [member, ranked]
    assert order[2:] == [hit, poster]


def test_who_is_known_to_nobody_is_asked_again_after_a_day_only(network: Network, asked: list[str]) -> None:
    nobody = Did("did:plc:" + "a" * 24)
    with TO_FILL.only(nobody_and_four):
        _needed[:] = [nobody, *dids(network, 4)]
        assert run.fill() == 2
        assert filled() == {nobody: ""} | handles(network, 4)
        assert run.fill() == 0
    later = now_us() + queries.DAY_US + 60_000_000
    assert list(due_actors.due([nobody_and_four], now=later)) == [nobody]
    assert set(due_actors.due([nobody_and_four], now=later + 2 * queries.DAY_US)) == {nobody, *dids(network, 4)}


_needed: list[Did] = []


def nobody_and_four() -> list[Did]:
    return _needed


def test_a_round_begins_only_where_no_other_runs_and_no_server_asked_to_be_left_alone(
    network: Network, asked: list[str], valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TO_FILL.only(nobody_and_four):
        _needed[:] = dids(network, 4)
        with single_flight("indexer.fill", 60):
            assert run.fill() == 0
        with monkeypatch.context() as patch:
            away = f"http://127.0.0.1:{closed_port()}"
            patch.setattr(run, "config", dataclasses.replace(config, appview_url=away))
            assert run.fill() == 0
        assert run.fill() == 0
        assert (asked, filled()) == ([], {})
        assert 1 < valkey.ttl(run._PAUSED) <= PAUSE_SECONDS
        valkey.flushdb()
        assert run.fill() == 1


def test_a_did_that_must_not_be_indexed_is_not_asked_for(network: Network, asked: list[str]) -> None:
    mira, noel = dids(network, 4, 5)
    _needed[:] = [mira, noel]
    do_not_index.exclude(mira, by="admin", now=ago())
    assert list(due_actors.due([nobody_and_four], now=now_us())) == [noel]


def test_an_event_without_a_handle_makes_its_actor_due_at_once_and_once_more_after_an_hour(
    network: Network, asked: list[str]
) -> None:
    mira, noel = dids(network, 4, 5)
    _needed[:] = [mira, noel]
    with TO_FILL.only(nobody_and_four):
        assert run.fill() == 2
        store(identity(noel, "", at=ago()))
        assert queries.recent_posters(now=now_us(), limit=10) == []
        store(post(mira, at=ago(minutes=1)), post(noel, at=ago(minutes=1)))
        assert queries.recent_posters(now=now_us(), limit=10) == [noel]
        assert list(due_actors.due([nobody_and_four], now=now_us())) == [noel]
        assert run.fill() == 1
        assert run.fill() == 0
    assert list(due_actors.due([nobody_and_four], now=now_us() + queries.HOUR_US - 60_000_000)) == []
    assert list(due_actors.due([nobody_and_four], now=now_us() + queries.HOUR_US)) == [noel]


def test_an_event_that_came_after_the_question_is_not_answered_by_it(network: Network, asked: list[str]) -> None:
    (mira,) = _needed[:] = dids(network, 4)
    now = now_us()
    told = run.Told("appview", {mira: Profile(mira, "mira.test", "Mira")}, queries.changes_of([mira]))
    store(identity(mira, "", at=now - 1))
    told.store(now)
    assert list(due_actors.due([nobody_and_four], now=now)) == [mira]


def test_a_part_of_the_site_that_cannot_tell_does_not_silence_the_others(network: Network, asked: list[str]) -> None:
    def broken() -> list[Did]:
        raise redis.RedisError("away")

    _needed[:] = dids(network, 4)
    assert list(due_actors.due([broken, nobody_and_four], now=now_us())) == dids(network, 4)


def test_of_more_posters_than_are_wanted_the_latest_come_first(clickhouse: None) -> None:
    posters = [Did("did:plc:" + letter * 24) for letter in "qwertyuiop"]
    store(*(post(did, at=ago(hours=hours)) for hours, did in enumerate(posters, 1)))
    assert queries.recent_posters(now=now_us(), limit=8) == posters[:8]


def test_an_answer_holds_for_an_hour_only_where_the_identity_changed_within_the_hour() -> None:
    did, now = Did("did:plc:" + "m" * 24), now_us()
    profile = Profile(did, "mira.test", "Mira")
    holds = [
        run.Told("appview", {did: profile}, {did: now - before})._holds_us(did, now)
        for before in (run.CHANGED_US - 1, run.CHANGED_US)
    ]
    assert holds == [run.CHANGED_US, run.FOUND_US]


def test_of_two_fills_the_later_says_when_the_actor_is_due(clickhouse: None) -> None:
    did, now = Did("did:plc:" + "m" * 24), now_us()
    profile = Profile(did, "mira.test", "Mira")
    for later, due_us in ((0, now + queries.DAY_US), (1, now + queries.HOUR_US)):
        queries.store({did: profile}, source="appview", due_us={did: due_us}, now=now + later)
    assert queries.fresh([did], now=now + queries.HOUR_US - 1) == {did}
    assert queries.fresh([did], now=now + queries.HOUR_US) == set()


def test_a_pds_that_did_not_answer_is_left_alone_for_a_while(network: Network, asked: list[str]) -> None:
    mira, noel = dids(network, 4, 5)
    _needed[:] = [mira, noel]
    due_actors.remember_failed([mira])
    assert list(due_actors.due([nobody_and_four], now=now_us())) == [noel]
    (key,) = kv.client().keys("*fill:failed:*")
    assert 0 < kv.client().ttl(key) <= due_actors.FAILED_SECONDS


def test_without_an_appview_names_come_from_the_directory_and_the_pds(
    sparse: ThreadedJetstream, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = sparse.server.origin
    changed = dataclasses.replace(config, appview_url="", plc_url=origin, handle_resolver_url=origin)
    monkeypatch.setattr(run, "config", changed)
    monkeypatch.setattr("atsite.core.identity.resolver.config", changed)
    _needed[:] = dids(network, 4, 5, 12)
    with TO_FILL.only(nobody_and_four):
        assert run.fill() == 3
    assert filled() == handles(network, 4, 5, 12)
    assert set(door.column("SELECT source FROM actor_fills", name="tests.sources")) == {"pds"}
    assert door.column("SELECT did FROM actor_counts", name="tests.counts") == []


def test_shown_authors_are_the_latest_and_bounded(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recently_shown, "REMEMBERED", 3)
    monkeypatch.setattr(recently_shown, "time", Mock(time=Mock(side_effect=count(1_000.0))))  # scores are times
    everybody = [Did(f"did:plc:{letter}") for letter in "abcde"]
    for did in everybody:
        recently_shown.remember([did])
    assert recently_shown.shown_authors() == everybody[:1:-1]
    recently_shown.remember([])
    assert len(recently_shown.shown_authors()) == 3


def test_only_posts_of_the_last_day_make_somebody_a_poster() -> None:
    alice, bob = Did("did:plc:alice"), Did("did:plc:bob")
    store(post(alice, at=ago(hours=25)), post(bob, at=ago(hours=23)))
    assert queries.recent_posters(now=micros(ago()), limit=10) == [bob]
