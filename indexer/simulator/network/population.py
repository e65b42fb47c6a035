"""The accounts of the simulated network: founders, newcomers, and accounts that pause, are taken down or leave.

Actors are numbered. Founders are 0 to `actors` - 1; every fifth block adds one more. The lifecycle of an account
follows only from its number: of each eight accounts one is deactivated and comes back, one is taken down or suspended
(every second of these is restored), one is deleted (one in sixteen of these comes back, with an empty repo).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING, Final

from indexer.simulator.network.cids import TO_BASE32
from indexer.simulator.network.event_pattern import BLOCK, SLOTS, Kind
from indexer.simulator.network.seeded_random import Chance, zipf_table
from indexer.simulator.network.timeline import FOUNDING_EVENTS
from indexer.simulator.network.words import LANGUAGES, NAMES

if TYPE_CHECKING:
    from indexer.simulator.network.timeline import Timeline

BIRTH_EVERY: Final = 5
# 8 actors per 40 blocks, as many as are born: the lifecycles never overtake the births.
LIFE_PERIOD: Final = 8 * BIRTH_EVERY
PAUSES, TAKEN_DOWN, DELETED = 1, 2, 3
# In which block of the 40 it begins, and how many blocks later it ends (where it does).
_BEGINS: Final = {PAUSES: 3, TAKEN_DOWN: 8, DELETED: 15}
_LASTS: Final = {PAUSES: 50, TAKEN_DOWN: 65, DELETED: 90}
# One draw in 16 that picks an actor picks one of the newcomers.
_NEWCOMER_MASK: Final = 15
_NEWCOMERS: Final = 200
# Actors of the upper half of each eight are always there.
STEADY: Final = 4
_NEVER: Final = 1 << 62
LIFECYCLE_SLOT: Final = SLOTS[Kind.LIFECYCLE][0]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The content of an account event: `status` is None if the account is active."""

    actor: int
    status: str | None


class Population:
    """The actors of one network; a pure function of its timeline's parameters."""

    def __init__(self, timeline: Timeline, chance: Chance) -> None:
        self.founders = timeline.actors
        self.first_block_at = timeline.founding
        self._chance = chance
        # Authors differ widely in how much they write and are followed; likes are spread nearly evenly.
        self.authors = zipf_table(self.founders, 0.85, 4.0)
        self.audience = zipf_table(self.founders, 0.25, 10.0)
        self._step = next(step for step in (7919, 7927, 7933, 1) if gcd(step, self.founders) == 1)
        self.did = lru_cache(maxsize=50_000)(self._did)

    def _did(self, actor: int) -> str:
        return "did:plc:" + self._chance.digest(b"did", actor, 24).translate(TO_BASE32).decode()

    def name(self, actor: int) -> str:
        """The first label of the handle: mira, mira2, …"""
        round_, index = divmod(actor, len(NAMES))
        return NAMES[index] if round_ == 0 else f"{NAMES[index]}{round_ + 1}"

    def handle(self, actor: int) -> str:
        """The first handle of an actor."""
        return f"{self.name(actor)}.demo.test"

    def language(self, actor: int) -> str:
        """The language that an actor mostly uses."""
        return LANGUAGES[self._chance.digest(b"lang", actor, 1)[0] % len(LANGUAGES)]

    def newborn(self, block: int) -> int | None:
        """The actor that appears in this block, if one does."""
        return self.founders + block // BIRTH_EVERY if block % BIRTH_EVERY == 0 else None

    def born_at(self, actor: int) -> int:
        """The number of the event with which an actor appears."""
        if actor < self.founders:
            return actor * FOUNDING_EVENTS
        return self.first_block_at + (actor - self.founders) * BIRTH_EVERY * BLOCK + SLOTS[Kind.BIRTH][0]

    def pick(self, table: tuple[int, ...], draw: int, number: int) -> int:
        """An actor that is active at event `number`, by a table of ranks."""
        block = (number - self.first_block_at) // BLOCK
        born = min(block // BIRTH_EVERY, _NEWCOMERS)  # those of earlier blocks only
        if draw & _NEWCOMER_MASK == 0 and born > 0:
            actor = self.founders + block // BIRTH_EVERY - 1 - (draw >> 4) % born
        else:
            actor = (table[draw] * self._step + 13) % self.founders
        if may_leave(actor) and not self.is_active(actor, number):
            actor |= STEADY
            if actor >= self.founders:
                return STEADY
        return actor

    def followed(self, actor: int, draw: int, number: int) -> int:
        """The actor that `actor` follows or blocks with event `number`."""
        other = self.pick(self.authors, draw, number)
        if other == actor:  # actors do not follow themselves
            return STEADY if actor != STEADY else STEADY + 1
        return other

    def away(self, actor: int) -> tuple[int, int]:
        """The event numbers when the account becomes inactive and comes back: (first, end), both huge if never."""
        fate = actor & 7
        if fate not in _BEGINS:
            return (_NEVER, _NEVER)
        cycle = actor >> 3
        block = cycle * LIFE_PERIOD + _BEGINS[fate]
        first = self._lifecycle_number(block)
        return (first, self._lifecycle_number(block + _LASTS[fate]) if _comes_back(fate, cycle) else _NEVER)

    def is_active(self, actor: int, number: int) -> bool:
        """Whether the account can write at event `number`."""
        if not may_leave(actor):
            return True
        first, end = self.away(actor)
        return not first <= number < end

    def is_deleted(self, actor: int, number: int) -> bool:
        """Whether the account is deleted, not only inactive, at event `number`."""
        return actor & 7 == DELETED and not self.is_active(actor, number)

    def status(self, actor: int, number: int) -> str | None:
        """Why the account is inactive at event `number` (deactivated, deleted, …); None if it is active."""
        return None if self.is_active(actor, number) else _status(actor & 7, actor >> 3)

    def was_deleted(self, actor: int, since: int, until: int) -> bool:
        """Whether the account was deleted between two events, and with it its records of the first."""
        return actor & 7 == DELETED and since < self.away(actor)[0] <= until

    def account_change(self, block: int) -> AccountChange | None:
        """What happens to an account in this block's lifecycle slot, if anything does."""
        for fate, begins in _BEGINS.items():
            cycle, rest = divmod(block - begins, LIFE_PERIOD)
            if rest == 0 and cycle >= 0:
                return AccountChange(8 * cycle + fate, _status(fate, cycle))
            cycle, rest = divmod(block - begins - _LASTS[fate], LIFE_PERIOD)
            if rest == 0 and cycle >= 0 and _comes_back(fate, cycle):
                return AccountChange(8 * cycle + fate, None)
        return None

    def _lifecycle_number(self, block: int) -> int:
        return self.first_block_at + block * BLOCK + LIFECYCLE_SLOT


def may_leave(actor: int) -> bool:
    """Whether anything ever happens to this actor's account."""
    return 0 < actor & 7 < STEADY


def _comes_back(fate: int, cycle: int) -> bool:
    if fate == DELETED:
        return cycle % 16 == 5
    return fate == PAUSES or cycle % 2 == 0


def _status(fate: int, cycle: int) -> str:
    if fate == PAUSES:
        return "deactivated"
    if fate == DELETED:
        return "deleted"
    return "suspended" if cycle % 3 == 0 else "takendown"
