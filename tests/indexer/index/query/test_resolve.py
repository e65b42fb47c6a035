"""Accounts of a query: found in the index, then in the network, within bounds; `me` is the reader."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import config
from atsite.core.identity import resolver
from atsite.core.token_bucket import TokenBucket
from indexer.index.query import resolve as resolving
from indexer.index.query.parse import BadQuery, parse
from indexer.index.query.resolve import UnknownAccount, resolve
from indexer.index.query.tree import And, Filter, Key, Not, Or, Word
from tests.builders import ALICE, BOB, ago, identity, store
from tests.core.identity import network as networks
from tests.labels.people import MIRA, NOEL, RESOLVE
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.core.identity.network import Network

pytestmark = pytest.mark.usefixtures("clickhouse")


@pytest.fixture
def network(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A network that knows MIRA; the budget of look-ups is full."""
    with networks.in_a_thread() as found:
        found.answers[f"/{MIRA.did}"] = networks.document(MIRA.did, MIRA.handle)
        found.answers[f"{RESOLVE}{MIRA.handle}"] = {"did": MIRA.did}
        known = replace(config, plc_url=found.url, handle_resolver_url=found.url)
        monkeypatch.setattr(resolver, "config", known)
        monkeypatch.setattr(resolving, "config", known)
        monkeypatch.setattr(resolving, "_NETWORK", TokenBucket(rate=0.001, burst=3))
        yield found


def test_handles_are_found_in_the_index_at_each_place(network: Network) -> None:
    store(identity(ALICE, "alice.test", at=ago(days=1)))
    resolved = resolve(parse(f"cat (from:@Alice.test OR -to:{BOB}) mentions:me"), viewer=BOB)
    by_alice, not_to_bob = Filter(Key.FROM, ALICE), Not(Filter(Key.TO, BOB))
    assert resolved.node == And((Word("cat"), Or((by_alice, not_to_bob)), Filter(Key.MENTIONS, BOB)))
    assert network.asked == []


def test_a_handle_that_the_index_does_not_know_is_asked_of_the_network_once(network: Network) -> None:
    for _ in range(2):
        assert resolve(parse(f"from:{MIRA.handle}")).node == Filter(Key.FROM, MIRA.did)
    assert network.asked == [f"{RESOLVE}{MIRA.handle}", f"/{MIRA.did}"]


def test_a_handle_of_nobody_is_an_error_with_its_place(network: Network) -> None:
    with pytest.raises(UnknownAccount, match=r"^to: no account has the handle noel\.example\.com") as caught:
        resolve(parse(f"cat to:{NOEL.handle}"))
    assert (caught.value.at, caught.value.key) == (4, Key.TO)


def test_the_network_is_waited_for_no_longer_than_a_reader_waits(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "NETWORK_SECONDS", 0.1)
    network.seconds = 1
    with pytest.raises(UnknownAccount):
        resolve(parse(f"from:{MIRA.handle}"))
    assert network.asked == [f"{RESOLVE}{MIRA.handle}"]
    until(lambda: network.ended == 1, "its answer came, too late")


def test_the_network_is_asked_about_few_handles(network: Network) -> None:
    with pytest.raises(UnknownAccount):
        resolve(parse(" ".join(f"from:n{number}.example.com" for number in range(6))))
    assert network.asked == []
    for number in range(5):
        with pytest.raises(UnknownAccount):
            resolve(parse(f"from:n{number}.example.com"))
    assert len(network.asked) == 3


def test_me_needs_a_reader(network: Network) -> None:
    with pytest.raises(BadQuery, match=r"^from: me needs a reader who is signed in$"):
        resolve(parse("cat from:me"))


@pytest.mark.parametrize("text", ["—", "! - …", "-—", '"…"', "(— OR !)"])
def test_a_query_of_nothing_that_is_a_word_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="there is no word in the query"):
        resolve(parse(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [("cat —", "cat"), ("cat OR !", "cat"), ("(— cat) dog", "cat dog"), ("cat -!", "cat"), ("#! cat", "#! cat")],
)
def test_what_is_nothing_to_the_index_is_left_out(text: str, kept: str) -> None:
    assert resolve(parse(text)).node == parse(kept)
