"""Chooses the post of a like, repost, reply or quote: a few posts of each era get most, new posts more than old ones.

An era is 2,000 events with 320 posts, and each of its posts has a rank that follows from its number. A rank's share is
Zipf's: of the 1,060 likes an era's worth of events brings, its first post gets about 170 and its ninth about 20. One
era in eight stays popular longer and also gets nearly a third of all likes of the next seven.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from indexer.simulator.network.event_pattern import (
    BLOCK,
    POST_DELETED_BY,
    RECREATE_BLOCKS,
    RECREATE_EVERY,
    SLOTS,
    Kind,
)
from indexer.simulator.network.population import may_leave
from indexer.simulator.network.seeded_random import Chance, zipf_table

if TYPE_CHECKING:
    from indexer.simulator.network.population import Population
    from indexer.simulator.network.timeline import Timeline

ERA_BLOCKS: Final = 10
ERA: Final = ERA_BLOCKS * BLOCK
POST_SLOTS: Final = SLOTS[Kind.POST]
ERA_POSTS: Final = ERA_BLOCKS * len(POST_SLOTS)
# How far back a like reaches: 150 eras are about two hours of live events or all of the preroll.
LAG_ERAS: Final = 150
TALKED_ABOUT_EVERY: Final = 8
TALKED_ABOUT_DRAWS: Final = 20_000  # of 65,536
# The best-ranked posts of an era are never replies, so that the feeds of root posts have something to show.
ROOT_RANKS: Final = 30
# Ranks are scattered over the era by a step that is coprime with its posts, and undone by its inverse.
_STEP: Final = 131
_UNSTEP: Final = pow(_STEP, -1, ERA_POSTS)
_INDEX_OF_SLOT: Final = {slot: index for index, slot in enumerate(POST_SLOTS)}
_TRIES: Final = 4
_RECREATE_SLOT: Final = SLOTS[Kind.POST_RECREATE][0]
_FIRST_DELETE_SLOT: Final = SLOTS[Kind.POST_DELETE][0]


class Popularity:
    """Ranks and lifetimes of posts; a pure function of the timeline's parameters."""

    def __init__(self, timeline: Timeline, chance: Chance, population: Population) -> None:
        self._origin = timeline.founding
        self._chance = chance
        self._population = population
        self._ranks = zipf_table(ERA_POSTS, 1.0)
        self._lags = zipf_table(LAG_ERAS, 1.2, 0.5)
        self._offset = lru_cache(maxsize=1_000)(self._offset_of)
        # The author of the post `number`.
        self.author = lru_cache(maxsize=50_000)(self._author)

    def _offset_of(self, era: int) -> int:
        return self._chance.of(b"era", era)[0] % ERA_POSTS

    def rank_of(self, number: int) -> int:
        """The rank of a post within its era, 0 for the most liked."""
        era, inside = divmod(number - self._origin, ERA)
        block, slot = divmod(inside, BLOCK)
        index = block * len(POST_SLOTS) + _INDEX_OF_SLOT[slot]
        return (index - self._offset(era)) * _UNSTEP % ERA_POSTS

    def _post_at(self, era: int, rank: int) -> int:
        block, index = divmod((rank * _STEP + self._offset(era)) % ERA_POSTS, len(POST_SLOTS))
        return self._origin + era * ERA + block * BLOCK + POST_SLOTS[index]

    def _author(self, number: int) -> int:
        if number == self._origin:
            return 4  # by an always active actor: a post that always exists
        return self._population.pick(self._population.authors, self._chance.draws(number)[1], number)

    def choose(self, number: int, draws: tuple[int, int, int]) -> int:
        """The number of a post before `number` that exists at that moment; `draws`: its age, its rank, its era."""
        age, rank_draw, talk = draws
        now = (number - self._origin) // ERA
        era = now - self._lags[age]
        if era < 0:
            era = age % (now + 1)
        if talk < TALKED_ABOUT_DRAWS:
            era -= era % TALKED_ABOUT_EVERY
        rank = self._ranks[rank_draw]
        for attempt in range(_TRIES):
            post = self._post_at(era, (rank + attempt) % ERA_POSTS)
            if post >= number:  # this era's, and yet to come
                era = max(0, era - 1)
            elif self.exists(post, number):
                return post
        return self._origin

    def deleted_at(self, number: int) -> int | None:
        """When the post `number` is deleted by its author (an event number), or None."""
        block, slot = divmod(number - self._origin, BLOCK)
        by = POST_DELETED_BY.get(slot)
        if by is None:
            return None
        when = self._origin + (block + by[1]) * BLOCK + by[0]
        author = self.author(number)
        gone = self._population.was_deleted(author, number, when)
        return when if self._population.is_active(author, when) and not gone else None

    def recreated_at(self, number: int) -> int | None:
        """When a deleted post is written again under the same key (an event number), or None."""
        deleted = self.deleted_at(number)
        if deleted is None:
            return None
        block, slot = divmod(deleted - self._origin, BLOCK)
        if slot != _FIRST_DELETE_SLOT or block % RECREATE_EVERY:
            return None
        when = self._origin + (block + RECREATE_BLOCKS) * BLOCK + _RECREATE_SLOT
        author = self.author(number)
        gone = self._population.was_deleted(author, number, when)
        return when if self._population.is_active(author, when) and not gone else None

    def exists(self, number: int, now: int) -> bool:
        """Whether the post `number` is there, and its author's account active, when event `now` happens."""
        author = self.author(number)
        if may_leave(author) and (
            not self._population.is_active(author, now) or self._population.was_deleted(author, number, now)
        ):
            return False
        if (number - self._origin) % BLOCK not in POST_DELETED_BY:
            return True
        deleted = self.deleted_at(number)
        if deleted is None or deleted > now:
            return True
        again = self.recreated_at(number)
        return again is not None and again <= now
