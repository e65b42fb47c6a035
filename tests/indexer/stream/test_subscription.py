"""Whose events are asked of the stream: WANTED_DIDS and all who carry a label, as they come and go."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from atsite.core.errors import ConfigError
from indexer.stream import service, subscription
from indexer.stream.subscription import Filter, Wanted, WantedUnknown, is_asked_for
from labels import membership
from labels.models import ActorLabel
from tests.away import default_away, redis_away
from tests.core.copies.conftest import label
from tests.indexer import frames
from tests.indexer.conftest import PATIENCE, SMALL, configured, index
from tests.indexer.frames import MINUTE, SECOND, T0, did
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import _rows as rows_of
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.indexer.simulator.jetstream import ThreadedJetstream

__all__ = ["label"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

ALWAYS, LABELLED, STRANGER = did(1), did(2), did(3)


def posts(who: str, *, begin: int, count: int) -> list[bytes]:
    """Posts of `who`, one a second."""
    times = [T0 + begin * MINUTE + number * SECOND for number in range(count)]
    return [frames.post(who, f"3k{begin:02}{number:02}{who[-1]}aaaaaa", "x", at=at) for number, at in enumerate(times)]


def authors() -> set[str]:
    return {did for (did,) in rows_of("SELECT DISTINCT did FROM posts FINAL")}


class Running:
    """An indexer in a thread of this process."""

    def __init__(self, jetstream: ThreadedJetstream, *dids: str) -> None:
        self.stop = service.Stop()
        options = service.Options(from_cursor=1, limits=SMALL)
        run = lambda: service.run(configured(jetstream.url, wanted_dids=dids), options, self.stop)  # noqa: E731
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def end(self) -> None:
        self.stop.ask()
        self.thread.join(PATIENCE)


@pytest.fixture
def jetstream(label: str) -> Iterator[ThreadedJetstream]:
    with simulated_jetstream(MemorySource()) as served:
        yield served


def test_an_update_replaces_what_was_asked_before_and_above_the_limit_asks_for_everybody() -> None:
    few = Filter(frozenset({LABELLED, ALWAYS}), 1)
    payload = {"wantedCollections": ["a.b.c"], "wantedDids": [ALWAYS, LABELLED], "maxMessageSizeBytes": 0}
    assert json.loads(few.update(["a.b.c"])) == {"type": "options_update", "payload": payload}
    many = [did(number) for number in range(subscription.SERVER_MAX + 1)]
    asked = [json.loads(Filter(frozenset(dids), 1).update([]))["payload"]["wantedDids"] for dids in (many[1:], many)]
    assert (len(asked[0]), asked[1]) == (subscription.SERVER_MAX, [])


def test_labelled_actors_are_asked_for_beside_the_wanted_dids(label: str) -> None:
    membership.assign(label, LABELLED, by="admin")  # type: ignore[arg-type]
    stream = [*posts(ALWAYS, begin=1, count=3), *posts(STRANGER, begin=2, count=3), *posts(LABELLED, begin=3, count=3)]
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        assert index(jetstream.url, events=6, wanted_dids=(ALWAYS,)) == 6
        assert jetstream.server.requests == ["/subscribe?requireHello=true&cursor=1"]
        assert jetstream.server.updates == 1
    assert authors() == {ALWAYS, LABELLED}


def test_a_change_is_asked_for_on_the_open_connection_and_told_to_backfills(
    jetstream: ThreadedJetstream, label: str
) -> None:
    running = Running(jetstream, ALWAYS)
    source = jetstream.server.source
    assert isinstance(source, MemorySource)
    try:
        until(lambda: jetstream.server.updates == 1, "the first filter")
        membership.assign(label, LABELLED, by="admin")  # type: ignore[arg-type]
        version = ActorLabel.objects.get().time_us
        until(lambda: jetstream.server.updates == 2, "the second filter")
        until(lambda: is_asked_for(version), "told")
        for frame in [*posts(STRANGER, begin=1, count=2), *posts(LABELLED, begin=2, count=2)]:
            jetstream.call(source.append, frame)
        until(lambda: authors() == {LABELLED}, "the posts of the new one")
        jetstream.call(jetstream.server.drop_connections)
        until(lambda: jetstream.server.updates == 3, "the filter after a reconnect")
        membership.remove(label, LABELLED, by="admin")  # type: ignore[arg-type]
        until(lambda: jetstream.server.updates == 4, "the filter without the removed one")
        for frame in [*posts(LABELLED, begin=3, count=2), *posts(ALWAYS, begin=4, count=1)]:
            jetstream.call(source.append, frame)
        until(lambda: ALWAYS in authors(), "the posts of the one who is always wanted")
    finally:
        running.end()
    assert rows_of("SELECT did, count() FROM posts FINAL GROUP BY did ORDER BY did") == [(ALWAYS, 1), (LABELLED, 2)]
    assert not is_asked_for(version + 10**12)


def test_above_the_limit_the_server_sends_everything_and_it_is_left_out_here(
    label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "SERVER_MAX", 1)
    membership.assign(label, LABELLED, by="admin")  # type: ignore[arg-type]
    stream = [
        *posts(ALWAYS, begin=1, count=2),
        *posts(STRANGER, begin=2, count=2),
        frames.identity(STRANGER, "stranger.test", at=T0 + 3 * MINUTE),
        frames.account(STRANGER, active=True, at=T0 + 3 * MINUTE),
        *posts(LABELLED, begin=4, count=2),
    ]
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        assert index(jetstream.url, events=len(stream), wanted_dids=(ALWAYS,)) == len(stream)
    assert authors() == {ALWAYS, LABELLED}
    assert rows_of("SELECT count() FROM actor_identities") == rows_of("SELECT count() FROM actor_accounts") == [(0,)]


def test_without_wanted_dids_everything_is_asked_for_and_said_so(label: str) -> None:
    with subscription.watched([did(1)]) as wanted:
        assert wanted is not None
        wanted.sent = Filter(frozenset(), 7)
        until(lambda: is_asked_for(7) and not is_asked_for(8), "told")
    with subscription.watched([]) as nothing:
        assert nothing is None
    assert is_asked_for(8)


def test_while_redis_is_away_nothing_is_known_to_be_asked_for(label: str) -> None:
    with redis_away():
        assert not is_asked_for(1)


def test_it_refuses_to_begin_without_knowing_whom_it_wants(label: str, tmp_path: Path) -> None:
    with default_away(tmp_path), pytest.raises(WantedUnknown):
        Wanted([ALWAYS])
    with pytest.raises(ConfigError, match=r"WANTED_DIDS: not a valid did: 'alice\.test'"):
        Wanted(["alice.test"])


def test_with_the_store_away_the_filter_stays(label: str, tmp_path: Path) -> None:
    membership.assign(label, LABELLED, by="admin")  # type: ignore[arg-type]
    wanted = Wanted([ALWAYS])
    before = wanted.current
    with default_away(tmp_path):
        wanted.look()
    assert wanted.current is before
    assert before.dids == {ALWAYS, LABELLED}
    membership.remove(label, LABELLED, by="admin")  # type: ignore[arg-type]
    wanted.look()
    assert wanted.current.dids == {ALWAYS}
