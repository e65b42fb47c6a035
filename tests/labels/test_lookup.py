"""Actors looked up over real HTTP, with sentences that a person understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.index.pasted import NotAnActor
from labels import lookup
from labels.lookup import Actor
from tests.core.identity.network import document
from tests.labels.people import ALL, MIRA, NOBODY, NOEL, RESOLVE

if TYPE_CHECKING:
    from tests.core.identity.network import Network


def test_a_handle_a_did_and_an_address_lead_to_the_same_actor(network: Network) -> None:
    for text in (MIRA.handle, f"@{MIRA.handle.upper()}", MIRA.did, f"https://bsky.app/profile/{MIRA.handle}"):
        assert lookup.find(text) == Actor(MIRA.did, MIRA.handle)


def sentence(text: str) -> str:
    with pytest.raises(NotAnActor) as caught:
        lookup.find(text)
    return str(caught.value)


def test_whoever_cannot_be_found_is_told_in_words(network: Network) -> None:
    network.answers[f"{RESOLVE}stolen.example.com"] = {"did": MIRA.did}
    network.answers[f"{RESOLVE}slow.example.com"] = 503
    assert sentence("noone.example.com") == (
        "No account has the handle noone.example.com. Check the spelling, or enter the did."
    )
    assert sentence(NOBODY) == f"There is no account with the did {NOBODY}."
    assert sentence("slow.example.com") == (
        "slow.example.com could not be looked up now. Try again in a minute, or enter the did."
    )
    assert sentence("stolen.example.com") == (
        f"stolen.example.com is not confirmed: stolen.example.com points to {MIRA.did}, whose document has"
        f" {MIRA.handle}. Ask its owner for the right handle, or enter the did."
    )


def test_a_did_that_cannot_be_checked_now_is_taken_with_a_doubt(network: Network) -> None:
    network.answers[f"/{NOEL.did}"] = 503
    found = lookup.find(NOEL.did)
    assert (found.did, found.handle) == (NOEL.did, "")
    assert found.warning == f"Whether there is an account {NOEL.did} could not be checked now."


def test_many_are_looked_up_in_their_order(network: Network) -> None:
    handles = [person.handle for person in ALL] * 10
    assert lookup.find_all(handles) == [Actor(person.did, person.handle) for person in ALL] * 10
    assert document(MIRA.did, MIRA.handle)["id"] == MIRA.did
    assert network.asked.count(f"/{MIRA.did}") == 1
