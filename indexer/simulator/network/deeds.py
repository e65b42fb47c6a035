"""Decides what an event number does: whose event it is, of which kind, and which earlier event or actor it is about.

A slot that cannot do its kind becomes a like of the reader whose turn it is. Writing the event (events.py) takes five
times the work; the repos need only this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from indexer.simulator.network.event_pattern import BLOCK, PATTERN, RECREATE_BLOCKS, SLOTS, Kind, target_of
from indexer.simulator.network.timeline import FOUNDING_EVENTS

if TYPE_CHECKING:
    from indexer.simulator.network.population import Population
    from indexer.simulator.network.post_popularity import Popularity
    from indexer.simulator.network.seeded_random import Chance
    from indexer.simulator.network.timeline import Timeline

Finder = Callable[[Kind, int, int], "Deed | None"]
#: The events of a birth, which are also the first of a founding: identity, account, profile.
BIRTH_EVENTS: Final = 3
_RECREATED_SLOT: Final = target_of(Kind.POST_DELETE, SLOTS[Kind.POST_DELETE][0])


class Deed(NamedTuple):
    """What one event does."""

    actor: int
    kind: Kind = Kind.LIKE
    #: The number of the earlier event whose record it changes or deletes.
    target: int | None = None
    #: The actor that it follows or unfollows.
    follows: int | None = None
    unfollows: int | None = None
    #: Which of the BIRTH_EVENTS it is.
    step: int = 0
    #: The status that an account gets; None: it is active.
    status: str | None = None

    @property
    def gone(self) -> bool:
        """Whether it deletes the account with all its records."""
        return self.status == "deleted"


class Deeds:
    """Computes the deed of any event of a network; pure."""

    def __init__(self, timeline: Timeline, chance: Chance, population: Population, popularity: Popularity) -> None:
        self._founding = timeline.founding
        self._chance = chance
        self._population = population
        self._popularity = popularity
        by_kind: dict[Kind, Finder] = {
            Kind.POST: self._post,
            Kind.FOLLOW: self._follow,
            Kind.UNFOLLOW: self._unfollow,
            Kind.UNLIKE: self._undo,
            Kind.UNREPOST: self._undo,
            Kind.UNBLOCK: self._undo,
            Kind.FOREIGN_UPDATE: self._undo,
            Kind.FOREIGN_DELETE: self._undo,
            Kind.POST_EDIT: self._post_edit,
            Kind.POST_DELETE: self._post_delete,
            Kind.POST_RECREATE: self._post_recreate,
            Kind.PROFILE_UPDATE: self._profile_update,
            Kind.LIFECYCLE: self._lifecycle,
            Kind.BIRTH: self._birth,
        }
        self._finders = tuple(by_kind.get(kind, self._by_reader) for kind in PATTERN)

    def deed(self, number: int) -> Deed:
        """The deed of event `number`."""
        block, slot = divmod(number - self._founding, BLOCK)
        if block < 0:
            return self._found(number)
        return self._finders[slot](PATTERN[slot], number, block) or Deed(self.reader(number))

    def reader(self, number: int) -> int:
        """The actor of event `number`, if that is not a post or an account event."""
        return self._population.pick(self._population.audience, self._chance.draws(number)[1], number)

    def _found(self, number: int) -> Deed:
        actor, step = divmod(number, FOUNDING_EVENTS)
        if step < BIRTH_EVENTS:
            return Deed(actor, Kind.BIRTH, step=step)
        return Deed(actor, Kind.FOLLOW, follows=self._followed(number, actor))

    def _followed(self, number: int, actor: int) -> int:
        return self._population.followed(actor, self._chance.draws(number)[2], number)

    # One method for each kind of slot; None: it cannot do its kind

    def _by_reader(self, kind: Kind, number: int, block: int) -> Deed:
        return Deed(self.reader(number), kind)

    def _post(self, kind: Kind, number: int, block: int) -> Deed:
        return Deed(self._popularity.author(number), kind)

    def _follow(self, kind: Kind, number: int, block: int) -> Deed:
        actor = self.reader(number)
        return Deed(actor, kind, follows=self._followed(number, actor))

    def _target(self, number: int, block: int) -> int | None:
        """The event that this slot changes or undoes; None if it would be older than the first block."""
        slot = (number - self._founding) % BLOCK
        created_slot, distance = target_of(PATTERN[slot], slot)
        return None if block < distance else number - slot + created_slot - distance * BLOCK

    def _undo(self, kind: Kind, number: int, block: int) -> Deed | None:
        target = self._target(number, block)
        if target is None:
            return None
        actor = self.reader(target)
        there = self._population.is_active(actor, number) and not self._population.was_deleted(actor, target, number)
        return Deed(actor, kind, target) if there else None

    def _unfollow(self, kind: Kind, number: int, block: int) -> Deed | None:
        undone = self._undo(kind, number, block)
        if undone is None or undone.target is None:
            return None
        return undone._replace(unfollows=self._followed(undone.target, undone.actor))

    def _post_edit(self, kind: Kind, number: int, block: int) -> Deed | None:
        target = self._target(number, block)
        if target is None or not self._popularity.exists(target, number):
            return None
        return Deed(self._popularity.author(target), kind, target)

    def _post_delete(self, kind: Kind, number: int, block: int) -> Deed | None:
        target = self._target(number, block)
        if target is None or self._popularity.deleted_at(target) != number:
            return None
        return Deed(self._popularity.author(target), kind, target)

    def _post_recreate(self, kind: Kind, number: int, block: int) -> Deed | None:
        slot, distance = _RECREATED_SLOT
        target = self._founding + (block - RECREATE_BLOCKS - distance) * BLOCK + slot
        if target < self._founding or self._popularity.recreated_at(target) != number:
            return None
        return Deed(self._popularity.author(target), kind, target)

    def _profile_update(self, kind: Kind, number: int, block: int) -> Deed | None:
        actor = self.reader(number)
        came_back = self._population.was_deleted(actor, -1, number)  # and has no profile to update
        return None if came_back else Deed(actor, kind)

    def _lifecycle(self, kind: Kind, number: int, block: int) -> Deed | None:
        change = self._population.account_change(block)
        return None if change is None else Deed(change.actor, kind, status=change.status)

    def _birth(self, kind: Kind, number: int, block: int) -> Deed | None:
        actor = self._population.newborn(block)
        step = SLOTS[kind].index((number - self._founding) % BLOCK)
        return None if actor is None else Deed(actor, kind, step=step)
