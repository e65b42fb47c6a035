"""Who the directory says someone is, against what the stream said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atsite.core.atproto.did_document import DidDocument, parse_did_document
from atsite.core.atproto.keys import Algorithm, public_key_of
from atsite.core.atproto.syntax import Did, Handle
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.timeline import SECOND, Timeline
from indexer.simulator.serving.plc_directory import RESOLVE_HANDLE, Directory

EPOCH = 1_790_000_000 * SECOND
ORIGIN = "http://127.0.0.1:8096"
TIMELINE = Timeline(seed=3, epoch_us=EPOCH, actors=64, rate=50, preroll_events=120_000)
#: Deep in the live part, so that accounts were born, renamed, paused and deleted.
EVENTS = TIMELINE.first_live + 20_000


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(TIMELINE)


@pytest.fixture(scope="module")
def told(network: Network) -> list[dict[str, Any]]:
    """Every identity and account event, in the order in which they were sent."""
    lines = (network.event(number) for number in range(EVENTS))
    return [json.loads(line) for line in lines if b'"kind":"commit"' not in line]


def fold(told: list[dict[str, Any]]) -> tuple[dict[str, str], set[str]]:
    """What a reader of the stream knows: the handles by did, and who was deleted."""
    handles: dict[str, str] = {}
    deleted: set[str] = set()
    for event in told:
        if event["kind"] == "identity":
            handles[event["did"]] = event["identity"]["handle"]
        elif event["account"].get("status") == "deleted":
            deleted.add(event["did"])
        elif event["account"]["active"]:
            deleted.discard(event["did"])
    return handles, deleted


def at(number: int) -> int:
    """A moment at which all events before `number`, and no others, have happened."""
    return TIMELINE.time_of(number) - 1


def test_the_directory_knows_everybody_as_the_stream_told(network: Network, told: list[dict[str, Any]]) -> None:
    identities = Identities(network)
    handles, deleted = fold(told)
    living = {did: handle for did, handle in handles.items() if did not in deleted}
    assert {did: identities.handle(did, at(EVENTS)) for did in handles} == {**dict.fromkeys(handles), **living}
    assert {handle: identities.did(handle, at(EVENTS)) for handle in living.values()} == {
        handle: did for did, handle in living.items()
    }
    assert {did for did in handles if identities.was_deleted(did, at(EVENTS))} == deleted
    assert len(deleted) > 1
    assert len(living) > TIMELINE.actors


def test_a_handle_that_was_given_up_is_nobodys(network: Network, told: list[dict[str, Any]]) -> None:
    identities = Identities(network)
    handles, _ = fold(told)
    given_up = {event["identity"]["handle"] for event in told if event["kind"] == "identity"} - set(handles.values())
    assert len(given_up) > 10
    assert {identities.did(handle, at(EVENTS)) for handle in given_up} == {None}


def test_the_past_is_answered_as_it_was_also_after_the_present(network: Network) -> None:
    asked_late, asked_early = Identities(network), Identities(network)
    early, dids = at(TIMELINE.first_live), [network.population.did(actor) for actor in range(200)]
    asked_late.handle(dids[0], at(EVENTS))
    assert [asked_late.handle(did, early) for did in dids] == [asked_early.handle(did, early) for did in dids]


def test_nobody_is_known_before_birth(network: Network) -> None:
    identities = Identities(network)
    actor = TIMELINE.actors + 3
    did, born = network.population.did(actor), network.population.born_at(actor)
    assert json.loads(network.event(born))["did"] == did
    assert [identities.handle(did, at(number)) is None for number in (born, born + 1)] == [True, False]


def test_keys_are_those_of_the_network_and_of_both_curves(network: Network) -> None:
    first, again, other = (Identities(Network(timeline)) for timeline in (TIMELINE, TIMELINE, _reseeded()))
    dids = [network.population.did(actor) for actor in range(64)]
    others = [other_did(actor) for actor in range(64)]
    for identities in (first, again):
        identities.handle(dids[0], EPOCH)
    other.handle(others[0], EPOCH)
    keys = [public_key_of(first.key(did)) for did in dids]
    assert keys == [public_key_of(again.key(did)) for did in dids]
    assert len(set(keys) | {public_key_of(other.key(did)) for did in others}) == 128
    assert {key.algorithm for key in keys} == {Algorithm.ES256K, Algorithm.ES256}


def _reseeded() -> Timeline:
    return Timeline(seed=4, epoch_us=EPOCH, actors=64, rate=50, preroll_events=120_000)


def other_did(actor: int) -> str:
    return Network(_reseeded()).population.did(actor)


def test_pages_are_what_a_directory_and_a_resolver_answer(network: Network, told: list[dict[str, Any]]) -> None:
    identities = Identities(network)
    directory = Directory(identities)
    handles, deleted = fold(told)
    did = Did(next(did for did in handles if did not in deleted))

    def ask(target: str) -> tuple[int, dict[str, Any]] | None:
        page = directory.page(target, origin=ORIGIN, now=at(EVENTS))
        return None if page is None else (page.status, json.loads(page.body))

    document = ask(f"/{did}")
    assert document is not None
    assert document[0] == 200
    assert parse_did_document(document[1], did=did) == DidDocument(
        did=did,
        handle=Handle(handles[did]),
        signing_key=public_key_of(identities.key(did)),
        pds=ORIGIN,
    )
    gone, nobody = min(deleted), "did:plc:" + "a" * 24
    assert ask(f"/{gone}") == (410, {"message": f"DID not available: {gone}"})
    assert ask(f"/{nobody}") == (404, {"message": f"DID not registered: {nobody}"})
    assert ask(f"{RESOLVE_HANDLE}?handle={handles[did].upper()}") == (200, {"did": did})
    for query in (f"?handle={handles[gone]}", "?handle=x", ""):
        answer = ask(RESOLVE_HANDLE + query)
        assert answer is not None
        assert (answer[0], answer[1]["error"]) == (400, "HandleNotFound")
    assert [ask(target) for target in ("/", "/subscribe", "/xrpc/x")] == [None] * 3
