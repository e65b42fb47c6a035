"""The identities of a simulated network at any time: handles, signing keys, deleted accounts.

Everything follows from the network's parameters, like its events. Handles come from an index over the events that
change them, which grows when it is used; keys are made on request.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from indexer.simulator.network.event_pattern import BLOCK, SLOTS, Kind
from indexer.simulator.network.population import STEADY
from indexer.simulator.network.seeded_random import Chance

if TYPE_CHECKING:
    from indexer.simulator.network.events import Network

#: As on the real network most keys use secp256k1; one in this many uses P-256.
P256_EVERY: Final = 4
#: More than the group's order has, so that the remainder favours no key.
_KEY_BYTES: Final = 48


class Identities:
    """The accounts of one network. `now` is in unix microseconds everywhere."""

    def __init__(self, network: Network) -> None:
        self._timeline = network.timeline
        self._population = network.population
        self._handle_change = network.handle_change
        self._chance = Chance(network.timeline.seed)
        self._actors: dict[str, int] = {}
        # Every account that has or had a handle: no handle is ever given to a second one.
        self._owners: dict[str, int] = {}
        # For each actor that changed it, the numbers of those events and the handles, in order.
        self._changes: dict[int, tuple[list[int], list[str]]] = {}
        self._blocks = 0

    def handle(self, did: str, now: int) -> str | None:
        """The handle of `did`; None if the account does not exist (yet, or any more)."""
        number = self._happened(now)
        actor = self._actor(did, number)
        return None if actor is None else self._handle(actor, number)

    def did(self, handle: str, now: int) -> str | None:
        """The did that has this handle now."""
        number = self._happened(now)
        actor = self._owners.get(handle)
        if actor is None or self._handle(actor, number) != handle:
            return None
        did = self._population.did(actor)
        return None if self._actor(did, number) is None else did

    def actor(self, did: str, now: int) -> int | None:
        """The number of the account, which may be inactive; None if it does not exist (yet, or any more)."""
        return self._actor(did, self._happened(now))

    def status(self, actor: int, now: int) -> str | None:
        """Why an account is inactive: deactivated, suspended, takendown; None if it is active."""
        return self._population.status(actor, self._happened(now))

    def example(self, now: int) -> str:
        """The handle of an account that is always active."""
        return self._handle(STEADY, self._happened(now))

    def was_deleted(self, did: str, now: int) -> bool:
        """Whether the account existed and was deleted."""
        number = self._happened(now)
        actor = self._actors.get(did)
        return actor is not None and self._population.is_deleted(actor, number)

    def key(self, did: str) -> ec.EllipticCurvePrivateKey:
        """The account's signing key, which never changes. KeyError if the did was never looked up."""
        digest = self._chance.digest(b"key", self._actors[did], _KEY_BYTES)
        curve = ec.SECP256R1() if digest[0] % P256_EVERY == 0 else ec.SECP256K1()
        return ec.derive_private_key(int.from_bytes(digest, "big") % (curve.group_order - 1) + 1, curve)

    def _actor(self, did: str, number: int) -> int | None:
        actor = self._actors.get(did)
        if actor is None or self._population.born_at(actor) >= number or self._population.is_deleted(actor, number):
            return None
        return actor

    def _handle(self, actor: int, number: int) -> str:
        numbers, handles = self._changes.get(actor, ([], []))
        changed = bisect_left(numbers, number)
        return handles[changed - 1] if changed else self._population.handle(actor)

    def _happened(self, now: int) -> int:
        """Bring the index up to `now`; returns the number of events."""
        number = self._timeline.first_at(now + 1)
        population = self._population
        while population.born_at(actor := len(self._actors)) < number:
            self._actors[population.did(actor)] = actor
            self._owners[population.handle(actor)] = actor
        while (first := self._timeline.founding + self._blocks * BLOCK) < number:
            for slot in SLOTS[Kind.HANDLE_CHANGE]:
                actor, handle = self._handle_change(first + slot)
                numbers, handles = self._changes.setdefault(actor, ([], []))
                numbers.append(first + slot)
                handles.append(handle)
                self._owners[handle] = actor
            self._blocks += 1
        return number
