"""The simulated network: event number -> the bytes that Jetstream would send. Pure, apart from caches.

Every event follows only from (seed, epoch, sizes) and its number. If it refers to an earlier event (a like to a post, a
delete to a record), that one is found by arithmetic (event_pattern.py, post_popularity.py) and computed again. So a
second start continues the same network at any number without a replay, and memory is bounded by the caches of posts and
dids (about 30 MB).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from indexer.simulator.network.cids import record_cid
from indexer.simulator.network.event_pattern import BLOCK, PATTERN, RECREATE_BLOCKS, SLOTS, TARGETS, Kind, target_of
from indexer.simulator.network.population import Population
from indexer.simulator.network.post_popularity import Popularity
from indexer.simulator.network.posts import COMMIT_DELAY, POST, RKEY_DELAY, Posts
from indexer.simulator.network.records import FOREIGN_COLLECTIONS, PROFILE, foreign, profile
from indexer.simulator.network.seeded_random import Chance
from indexer.simulator.network.timeline import FOUNDING_EVENTS, Timeline

LIKE: Final = "app.bsky.feed.like"
REPOST: Final = "app.bsky.feed.repost"
FOLLOW: Final = "app.bsky.graph.follow"
BLOCK_RECORD: Final = "app.bsky.graph.block"
# As on the real host, an event's time may be this much before that of the previous event.
DISORDER_US: Final = 50_000
_FIRST_SEQ: Final = 30_000_000_000
_RECREATED_SLOT: Final = target_of(Kind.POST_DELETE, SLOTS[Kind.POST_DELETE][0])

Draws = tuple[int, ...]
Writer = Callable[[int, int, int, Draws], str]


class Network:
    """All events of one network, by number from 0; see timeline.py for their times."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.chance = Chance(timeline.seed)
        self.population = Population(timeline, self.chance)
        self.popularity = Popularity(timeline, self.chance, self.population)
        self._posts = Posts(timeline, self.chance, self.population, self.popularity)
        by_kind: dict[Kind, Writer] = {
            Kind.POST: self._post,
            Kind.LIKE: self._like,
            Kind.REPOST: self._repost,
            Kind.FOLLOW: self._follow,
            Kind.BLOCK: self._block,
            Kind.UNLIKE: self._undo,
            Kind.UNREPOST: self._undo,
            Kind.UNFOLLOW: self._undo,
            Kind.UNBLOCK: self._undo,
            Kind.FOREIGN_DELETE: self._undo,
            Kind.FOREIGN: self._foreign,
            Kind.FOREIGN_UPDATE: self._foreign_update,
            Kind.POST_EDIT: self._post_edit,
            Kind.POST_DELETE: self._post_delete,
            Kind.POST_RECREATE: self._post_recreate,
            Kind.PROFILE_UPDATE: self._profile_update,
            Kind.HANDLE_CHANGE: self._handle_change,
            Kind.LIFECYCLE: self._lifecycle,
            Kind.BIRTH: self._birth,
        }
        self._writers = tuple(by_kind[kind] for kind in PATTERN)

    def time_us(self, number: int) -> int:
        """The `time_us` of event `number`: up to 50 ms before the time of its place in the stream."""
        return self._witnessed(self.timeline.time_of(number), self.chance.draws(number))

    def first_from(self, cursor: int) -> int:
        """The number of the first event whose `time_us` is at or after `cursor`."""
        number = self.timeline.first_at(cursor)
        while self.time_us(number) < cursor:
            number += 1
        return number

    def event(self, number: int) -> bytes:
        """Event `number` as Jetstream v1 sends it: one JSON object."""
        draws = self.chance.draws(number)
        time = self.timeline.time_of(number)
        block, slot = divmod(number - self.timeline.founding, BLOCK)
        if block < 0:
            return self._found(number, time, draws).encode()
        return self._writers[slot](number, time, block, draws).encode()

    def luck(self, number: int) -> tuple[int, int]:
        """Two draws (0 to 65535) that decide whether and how the frame after event `number` is malformed."""
        draws = self.chance.draws(number)
        return draws[14], draws[15]

    def handle_change(self, number: int) -> tuple[int, str]:
        """The actor that takes a new handle at event `number` (which must be of that kind), and the handle."""
        actor = self.reader(number, self.chance.draws(number))
        return actor, f"{self.population.name(actor)}-{number}.demo.test"

    # Parts of every event

    @staticmethod
    def _witnessed(time: int, draws: Draws) -> int:
        return time - (draws[0] * DISORDER_US >> 16)

    def _commit(self, time: int, draws: Draws, did: str, operation: str, path: tuple[str, str], record: str) -> str:
        tail = f',"record":{record},"cid":"{record_cid(record)}"' if record else ""
        return (
            f'{{"did":"{did}","time_us":{self._witnessed(time, draws)},"kind":"commit","commit":{{'
            f'"rev":"{tid_of_micros(time - COMMIT_DELAY)}","operation":"{operation}",'
            f'"collection":"{path[0]}","rkey":"{path[1]}"{tail}}}}}'
        )

    def _account(self, number: int, time: int, draws: Draws, actor: int, status: str | None) -> str:
        did = self.population.did(actor)
        active = "true" if status is None else "false"
        said = "" if status is None else f',"status":"{status}"'
        return (
            f'{{"did":"{did}","time_us":{self._witnessed(time, draws)},"kind":"account","account":{{"active":{active},'
            f'"did":"{did}","seq":{_FIRST_SEQ + number}{said},"time":"{datetime_of_micros(time - COMMIT_DELAY)}"}}}}'
        )

    def _identity(self, number: int, time: int, draws: Draws, actor: int, handle: str) -> str:
        did = self.population.did(actor)
        return (
            f'{{"did":"{did}","time_us":{self._witnessed(time, draws)},"kind":"identity","identity":{{"did":"{did}",'
            f'"handle":"{handle}","seq":{_FIRST_SEQ + number},"time":"{datetime_of_micros(time - COMMIT_DELAY)}"}}}}'
        )

    def _created(self, time: int, draws: Draws) -> str:
        return datetime_of_micros(time - RKEY_DELAY - draws[5] % 2_000 * 1_000)

    def _rkey(self, time: int, actor: int) -> str:
        return tid_of_micros(time - RKEY_DELAY, actor % 1024)

    def reader(self, number: int, draws: Draws) -> int:
        """The actor of event `number`, if that is not a post or an account event."""
        return self.population.pick(self.population.audience, draws[1], number)

    def _create(self, time: int, draws: Draws, actor: int, collection: str, fields: str) -> str:
        record = f'{{"$type":"{collection}","createdAt":"{self._created(time, draws)}",{fields}}}'
        path = (collection, self._rkey(time, actor))
        return self._commit(time, draws, self.population.did(actor), "create", path, record)

    # The founding, and one method for each kind of slot

    def _found(self, number: int, time: int, draws: Draws) -> str:
        actor, step = divmod(number, FOUNDING_EVENTS)
        if step == 0:
            return self._identity(number, time, draws, actor, self.population.handle(actor))
        if step == 1:
            return self._account(number, time, draws, actor, None)
        if step == 2:
            return self._profile(number, time, draws, actor, "create")
        return self._create(time, draws, actor, FOLLOW, self._someone(number, draws, actor))

    def _post(self, number: int, time: int, block: int, draws: Draws) -> str:
        post = self._posts.get(number)
        return (
            f'{{"did":"{post.did}","time_us":{self._witnessed(time, draws)},"kind":"commit","commit":{{'
            f'"rev":"{tid_of_micros(time - COMMIT_DELAY)}","operation":"create","collection":"{POST}",'
            f'"rkey":"{post.rkey}","record":{post.record},"cid":"{post.cid}"}}}}'
        )

    def _like(self, number: int, time: int, block: int, draws: Draws) -> str:
        return self._create(time, draws, self.reader(number, draws), LIKE, self._some_post(number, draws))

    def _repost(self, number: int, time: int, block: int, draws: Draws) -> str:
        return self._create(time, draws, self.reader(number, draws), REPOST, self._some_post(number, draws))

    def _follow(self, number: int, time: int, block: int, draws: Draws) -> str:
        actor = self.reader(number, draws)
        return self._create(time, draws, actor, FOLLOW, self._someone(number, draws, actor))

    def _block(self, number: int, time: int, block: int, draws: Draws) -> str:
        actor = self.reader(number, draws)
        return self._create(time, draws, actor, BLOCK_RECORD, self._someone(number, draws, actor))

    def _some_post(self, number: int, draws: Draws) -> str:
        post = self._posts.get(self.popularity.choose(number, (draws[2], draws[3], draws[4])))
        return f'"subject":{post.ref}'

    def _someone(self, number: int, draws: Draws, actor: int) -> str:
        return f'"subject":"{self.population.did(self.population.followed(actor, draws[2], number))}"'

    def _foreign(self, number: int, time: int, block: int, draws: Draws) -> str:
        actor = self.reader(number, draws)
        record_of, path = self._foreign_record(number, time, actor)
        return self._commit(time, draws, self.population.did(actor), "create", path, record_of(draws))

    def _foreign_record(self, number: int, time: int, actor: int) -> tuple[Callable[[Draws], str], tuple[str, str]]:
        collection = FOREIGN_COLLECTIONS[number % len(FOREIGN_COLLECTIONS)]
        did = self.population.did(actor)
        is_broadcast = collection == FOREIGN_COLLECTIONS[-1]
        rkey = f"{did}::did:web:{number}.demo.test" if is_broadcast else self._rkey(time, actor)

        def write(draws: Draws) -> str:
            return foreign(collection, did, self._created(time, draws), draws[6])

        return write, (collection, rkey)

    def target(self, number: int, block: int) -> tuple[int, Kind] | None:
        """The record this slot undoes or changes: its number and kind; None if it or its active actor is missing."""
        slot = (number - self.timeline.founding) % BLOCK
        created_slot, distance = target_of(PATTERN[slot], slot)
        if block < distance:
            return None
        target = number - slot + created_slot - distance * BLOCK
        return target, TARGETS[PATTERN[slot]][0]

    def owner(self, target: int, number: int) -> int | None:
        """The actor of `target` (not a post), if it still exists and was not deleted since."""
        actor = self.reader(target, self.chance.draws(target))
        if self.population.is_active(actor, number) and not self.population.was_deleted(actor, target, number):
            return actor
        return None

    def _undo(self, number: int, time: int, block: int, draws: Draws) -> str:
        found = self.target(number, block)
        actor = None if found is None else self.owner(found[0], number)
        if found is None or actor is None:
            return self._like(number, time, block, draws)
        target, kind = found
        target_time = self.timeline.time_of(target)
        if kind is Kind.FOREIGN:
            path = self._foreign_record(target, target_time, actor)[1]
        else:
            path = (_COLLECTIONS[kind], self._rkey(target_time, actor))
        return self._commit(time, draws, self.population.did(actor), "delete", path, "")

    def _foreign_update(self, number: int, time: int, block: int, draws: Draws) -> str:
        found = self.target(number, block)
        actor = None if found is None else self.owner(found[0], number)
        if found is None or actor is None:
            return self._like(number, time, block, draws)
        record_of, path = self._foreign_record(found[0], self.timeline.time_of(found[0]), actor)
        return self._commit(time, draws, self.population.did(actor), "update", path, record_of(draws))

    def _post_edit(self, number: int, time: int, block: int, draws: Draws) -> str:
        found = self.target(number, block)
        if found is None or not self.popularity.exists(found[0], number):
            return self._like(number, time, block, draws)
        return self._rewrite(number, time, draws, found[0], "update")

    def _post_delete(self, number: int, time: int, block: int, draws: Draws) -> str:
        found = self.target(number, block)
        if found is None or self.popularity.deleted_at(found[0]) != number:
            return self._like(number, time, block, draws)
        post = self._posts.get(found[0])
        return self._commit(time, draws, post.did, "delete", (POST, post.rkey), "")

    def _post_recreate(self, number: int, time: int, block: int, draws: Draws) -> str:
        slot, distance = _RECREATED_SLOT
        target = self.timeline.founding + (block - RECREATE_BLOCKS - distance) * BLOCK + slot
        if target < self.timeline.founding or self.popularity.recreated_at(target) != number:
            return self._like(number, time, block, draws)
        return self._rewrite(number, time, draws, target, "create")

    def _rewrite(self, number: int, time: int, draws: Draws, target: int, operation: str) -> str:
        post = self._posts.get(target)
        record = self._posts.write(target, number)[0]
        return self._commit(time, draws, post.did, operation, (POST, post.rkey), record)

    def _profile(self, number: int, time: int, draws: Draws, actor: int, operation: str) -> str:
        population = self.population
        created = datetime_of_micros(self.timeline.start_us - draws[6] * 1_000_000)
        record = profile(population.name(actor), population.language(actor), created, draws[7], number)
        return self._commit(time, draws, population.did(actor), operation, (PROFILE, "self"), record)

    def _profile_update(self, number: int, time: int, block: int, draws: Draws) -> str:
        actor = self.reader(number, draws)
        if self.population.was_deleted(actor, -1, number):  # came back, and has no profile to update
            return self._like(number, time, block, draws)
        return self._profile(number, time, draws, actor, "update")

    def _handle_change(self, number: int, time: int, block: int, draws: Draws) -> str:
        return self._identity(number, time, draws, *self.handle_change(number))

    def _lifecycle(self, number: int, time: int, block: int, draws: Draws) -> str:
        change = self.population.account_change(block)
        if change is None:
            return self._like(number, time, block, draws)
        return self._account(number, time, draws, change.actor, change.status)

    def _birth(self, number: int, time: int, block: int, draws: Draws) -> str:
        actor = self.population.newborn(block)
        if actor is None:
            return self._like(number, time, block, draws)
        step = SLOTS[Kind.BIRTH].index((number - self.timeline.founding) % BLOCK)
        if step == 0:
            return self._identity(number, time, draws, actor, self.population.handle(actor))
        if step == 1:
            return self._account(number, time, draws, actor, None)
        return self._profile(number, time, draws, actor, "create")


_COLLECTIONS: Final = {Kind.LIKE: LIKE, Kind.REPOST: REPOST, Kind.FOLLOW: FOLLOW, Kind.BLOCK: BLOCK_RECORD}
