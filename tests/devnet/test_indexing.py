"""The indexer on a real network's events: what it holds is what the PDS holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from atsite.core.clickhouse import door
from tests.devnet import index, site
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atsite.core.atproto.syntax import Did
    from tests.devnet.network import Network

pytestmark = [pytest.mark.devnet, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def indexer(network: Network, stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Reads the network from its beginning on."""
    with site.indexing(site.environment_of(network, port=1, publisher="nobody"), tmp_path_factory.mktemp("indexer")):
        yield


def _jetstream(network: Network, path: str) -> None:
    url = network.jetstream_url.replace("ws://", "http://").removesuffix("/subscribe")
    httpx.get(url + path, timeout=60).raise_for_status()


def _account_states(did: Did) -> list[str]:
    return door.column(
        "SELECT if(active = 1, 'active', status) FROM actor_accounts FINAL WHERE did = {did:String}",
        {"did": did},
        name="tests.devnet_account",
    )


def test_the_index_holds_what_the_pds_holds(network: Network) -> None:
    index.await_truth(network)
    assert len(network.records(index.POST)) >= 57


def test_it_follows_what_people_do_through_lost_connections_and_repeated_events(network: Network) -> None:
    for _ in range(3):
        network.ask("POST", "/activity", n=40, quiet=True)
        _jetstream(network, "/_drop")
        network.ask("POST", "/activity", n=10, quiet=True)
        _jetstream(network, "/_dup?n=30")
    network.act("carol", "post_update", n=3)
    index.await_truth(network)
    gaps = "SELECT count() FROM stream_gaps"
    assert door.scalar(gaps, name="tests.devnet_gaps") == 0


def test_an_account_that_comes_and_goes_is_known_as_the_network_says(network: Network) -> None:
    did = network.account("comes-and-goes").did
    network.act("comes-and-goes", "post", n=2)
    for action, state in (
        ("deactivate", "deactivated"),
        ("activate", "active"),
        ("takedown", "takendown"),
        ("untakedown", "active"),
    ):
        network.ask("POST", "/account-event", account="comes-and-goes", action=action)
        until(lambda state=state: _account_states(did) == [state], lambda: _account_states(did))  # type: ignore[misc]
    index.await_truth(network)


def test_a_handle_is_the_one_that_the_network_last_told(network: Network) -> None:
    did = network.account("before").did

    def handles() -> list[str]:
        sql = "SELECT handle FROM actor_identities FINAL WHERE did = {did:String}"
        return door.column(sql, {"did": did}, name="tests.devnet_handle")

    until(lambda: handles() == ["before.test"], handles)
    network.ask("POST", "/account-event", account="before", action="handle", handle="after.test")
    until(lambda: handles() == ["after.test"], handles)


def test_a_deleted_account_raises_the_floor_above_all_it_wrote(network: Network) -> None:
    did = network.account("leaves").did
    network.act("leaves", "post", n=3)
    index.await_truth(network)
    network.ask("POST", "/account-event", account="leaves", action="delete")
    living = """
        SELECT count() FROM posts FINAL
        WHERE did = {did:String} AND version >= (SELECT max(floor) FROM repo_floors WHERE did = {did:String})
    """
    floors = "SELECT count() FROM repo_floors WHERE did = {did:String}"
    until(lambda: bool(door.scalar(floors, {"did": did}, name="tests.devnet_floors")), lambda: _account_states(did))
    assert door.scalar(living, {"did": did}, name="tests.devnet_living") == 0
    assert _account_states(did) == ["deleted"]
    index.await_truth(network)
