"""The directory over real HTTP, on the port of the stream."""

from __future__ import annotations

from typing import Any

import httpx
from websockets.sync.client import connect

from atsite.core.clock import now_us
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.repos import Repos
from indexer.simulator.network.timeline import Timeline
from indexer.simulator.serving.network_source import NetworkSource
from indexer.simulator.serving.plc_directory import RESOLVE_HANDLE, Directory
from indexer.simulator.serving.xrpc import Xrpc
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.simulator.subscribers import DEADLINE

ACTORS = 40
PROFILES = "/xrpc/app.bsky.actor.getProfiles"


def get(url: str, params: Any = None) -> httpx.Response:
    return httpx.get(url, params=params, timeout=DEADLINE)


def test_one_port_serves_the_stream_and_who_is_who() -> None:
    network = Network(Timeline(seed=5, epoch_us=now_us(), actors=ACTORS, rate=1))
    identities = Identities(network)
    handle = identities.example(now_us())
    pages = {"directory": Directory(identities), "xrpc": Xrpc(identities, Repos(network))}
    with simulated_jetstream(NetworkSource(network), **pages) as jetstream:
        origin = jetstream.server.origin
        assert jetstream.url == origin.replace("http:", "ws:") + "/subscribe"
        with connect(jetstream.url, compression=None, close_timeout=0.1) as websocket:
            resolved = get(origin + RESOLVE_HANDLE, params={"handle": handle})
            assert resolved.status_code == 200
            assert resolved.headers.get_list("Content-Type") == ["application/json"]
            document = get(f"{origin}/{resolved.json()['did']}").json()
            assert document["id"] == resolved.json()["did"]
            assert document["alsoKnownAs"] == [f"at://{handle}"]
            assert document["service"][0]["serviceEndpoint"] == origin
            profiles = get(origin + PROFILES, params={"actors": [handle, "nobody.demo.test"]}).json()
            assert [profile["did"] for profile in profiles["profiles"]] == [document["id"]]
            assert get(origin + PROFILES).status_code == 400
            assert get(origin + "/elsewhere").status_code == 404
            assert websocket.recv(timeout=DEADLINE, decode=False).startswith(b'{"did":')


def test_a_recording_has_no_directory() -> None:
    with simulated_jetstream(MemorySource()) as jetstream:
        assert get(jetstream.server.origin + RESOLVE_HANDLE).status_code == 404
