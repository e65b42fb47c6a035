"""Finds the actor of an event number, and the actor it follows, without building the event: a fifth of the work.

The same arithmetic as in events.py: a slot that cannot do its kind becomes a like, and belongs to the liking actor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from indexer.simulator.network.event_pattern import BLOCK, PATTERN, RECREATE_BLOCKS, SLOTS, Kind, target_of
from indexer.simulator.network.timeline import FOUNDING_EVENTS

if TYPE_CHECKING:
    from indexer.simulator.network.events import Network

Finder = Callable[[int, int], "Deed"]
#: The events of a founding before its follows: identity, account, profile.
_BEFORE_FOLLOWS: Final = 3
_RECREATED_SLOT: Final = target_of(Kind.POST_DELETE, SLOTS[Kind.POST_DELETE][0])


@dataclass(frozen=True, slots=True)
class Deed:
    """The effect of one event on accounts: its actor, and the actor it follows or unfollows, if any.

    `gone`: whether it deletes the account with all its records.
    """

    actor: int
    follows: int | None = None
    unfollows: int | None = None
    gone: bool = False


class EventActors:
    """Computes the deed of any event of a network; pure."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._population = network.population
        self._popularity = network.popularity
        self._founding = network.timeline.founding
        by_kind: dict[Kind, Finder] = {
            Kind.POST: self._post,
            Kind.FOLLOW: self._follow,
            Kind.UNFOLLOW: self._unfollow,
            Kind.UNLIKE: self._owner,
            Kind.UNREPOST: self._owner,
            Kind.UNBLOCK: self._owner,
            Kind.FOREIGN_UPDATE: self._owner,
            Kind.FOREIGN_DELETE: self._owner,
            Kind.POST_EDIT: self._post_edit,
            Kind.POST_DELETE: self._post_delete,
            Kind.POST_RECREATE: self._post_recreate,
            Kind.LIFECYCLE: self._lifecycle,
            Kind.BIRTH: self._birth,
        }
        self._finders = tuple(by_kind.get(kind, self._reader) for kind in PATTERN)

    def deed(self, number: int) -> Deed:
        """The deed of event `number`."""
        block, slot = divmod(number - self._founding, BLOCK)
        return self._found(number) if block < 0 else self._finders[slot](number, block)

    def _found(self, number: int) -> Deed:
        actor, step = divmod(number, FOUNDING_EVENTS)
        return Deed(actor) if step < _BEFORE_FOLLOWS else Deed(actor, follows=self._followed(number, actor))

    def _followed(self, number: int, actor: int) -> int:
        return self._population.followed(actor, self._network.chance.draws(number)[2], number)

    def _reader(self, number: int, block: int) -> Deed:
        return Deed(self._network.reader(number, self._network.chance.draws(number)))

    def _post(self, number: int, block: int) -> Deed:
        return Deed(self._popularity.author(number))

    def _follow(self, number: int, block: int) -> Deed:
        actor = self._reader(number, block).actor
        return Deed(actor, follows=self._followed(number, actor))

    def _owner(self, number: int, block: int) -> Deed:
        found = self._network.target(number, block)
        actor = None if found is None else self._network.owner(found[0], number)
        return self._reader(number, block) if actor is None else Deed(actor)

    def _unfollow(self, number: int, block: int) -> Deed:
        found = self._network.target(number, block)
        actor = None if found is None else self._network.owner(found[0], number)
        if found is None or actor is None:
            return self._reader(number, block)
        return Deed(actor, unfollows=self._followed(found[0], actor))

    def _post_edit(self, number: int, block: int) -> Deed:
        found = self._network.target(number, block)
        if found is None or not self._popularity.exists(found[0], number):
            return self._reader(number, block)
        return self._post(found[0], block)

    def _post_delete(self, number: int, block: int) -> Deed:
        found = self._network.target(number, block)
        if found is None or self._popularity.deleted_at(found[0]) != number:
            return self._reader(number, block)
        return self._post(found[0], block)

    def _post_recreate(self, number: int, block: int) -> Deed:
        slot, distance = _RECREATED_SLOT
        target = self._founding + (block - RECREATE_BLOCKS - distance) * BLOCK + slot
        if target < self._founding or self._popularity.recreated_at(target) != number:
            return self._reader(number, block)
        return self._post(target, block)

    def _lifecycle(self, number: int, block: int) -> Deed:
        change = self._population.account_change(block)
        return self._reader(number, block) if change is None else Deed(change.actor, gone=change.status == "deleted")

    def _birth(self, number: int, block: int) -> Deed:
        actor = self._population.newborn(block)
        return self._reader(number, block) if actor is None else Deed(actor)
