"""The simulated network: event number -> the bytes that Jetstream would send. Pure, apart from caches.

Every event follows only from (seed, epoch, sizes) and its number. If it refers to an earlier event (a like to a post, a
delete to a record), that one is found by arithmetic (event_pattern.py, post_popularity.py) and computed again. So a
second start continues the same network at any number without a replay, and memory is bounded by the caches of posts and
dids (about 30 MB).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from indexer.simulator.network.cids import record_cid
from indexer.simulator.network.deeds import Deed, Deeds
from indexer.simulator.network.event_pattern import TARGETS, Kind
from indexer.simulator.network.population import Population
from indexer.simulator.network.post_popularity import Popularity
from indexer.simulator.network.posts import COMMIT_DELAY, POST, RKEY_DELAY, Posts
from indexer.simulator.network.records import FOREIGN_COLLECTIONS, PROFILE, foreign, profile
from indexer.simulator.network.seeded_random import Chance

if TYPE_CHECKING:
    from indexer.simulator.network.timeline import Timeline

LIKE: Final = "app.bsky.feed.like"
REPOST: Final = "app.bsky.feed.repost"
FOLLOW: Final = "app.bsky.graph.follow"
BLOCK_RECORD: Final = "app.bsky.graph.block"
# As on the real host, an event's time may be this much before that of the previous event.
DISORDER_US: Final = 50_000
_FIRST_SEQ: Final = 30_000_000_000
_COLLECTIONS: Final = {Kind.LIKE: LIKE, Kind.REPOST: REPOST, Kind.FOLLOW: FOLLOW, Kind.BLOCK: BLOCK_RECORD}

_OPERATIONS: Final = {
    Kind.BIRTH: "create",
    Kind.POST_EDIT: "update",
    Kind.POST_DELETE: "delete",
    Kind.POST_RECREATE: "create",
    Kind.PROFILE_UPDATE: "update",
}

Draws = tuple[int, ...]
Writer = Callable[[int, int, Draws, Deed], str]


class Network:
    """All events of one network, by number from 0; see timeline.py for their times."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.chance = Chance(timeline.seed)
        self.population = Population(timeline, self.chance)
        self.popularity = Popularity(timeline, self.chance, self.population)
        self._posts = Posts(timeline, self.chance, self.population, self.popularity)
        self.deeds = Deeds(timeline, self.chance, self.population, self.popularity)
        self._writers: dict[Kind, Writer] = {
            Kind.POST: self._post,
            Kind.LIKE: self._about_a_post,
            Kind.REPOST: self._about_a_post,
            Kind.FOLLOW: self._about_an_actor,
            Kind.BLOCK: self._about_an_actor,
            Kind.UNLIKE: self._undo,
            Kind.UNREPOST: self._undo,
            Kind.UNFOLLOW: self._undo,
            Kind.UNBLOCK: self._undo,
            Kind.FOREIGN_DELETE: self._undo,
            Kind.FOREIGN: self._foreign,
            Kind.FOREIGN_UPDATE: self._foreign,
            Kind.POST_EDIT: self._post_again,
            Kind.POST_DELETE: self._post_again,
            Kind.POST_RECREATE: self._post_again,
            Kind.PROFILE_UPDATE: self._profile,
            Kind.HANDLE_CHANGE: self._handle_change,
            Kind.LIFECYCLE: self._account,
            Kind.BIRTH: self._birth,
        }

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
        deed = self.deeds.deed(number)
        return self._writers[deed.kind](number, self.timeline.time_of(number), self.chance.draws(number), deed).encode()

    def luck(self, number: int) -> tuple[int, int]:
        """Two draws (0 to 65535) that decide whether and how the frame after event `number` is malformed."""
        draws = self.chance.draws(number)
        return draws[14], draws[15]

    def handle_change(self, number: int) -> tuple[int, str]:
        """The actor that takes a new handle at event `number` (which must be of that kind), and the handle."""
        actor = self.deeds.reader(number)
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

    def _create(self, time: int, draws: Draws, actor: int, collection: str, fields: str) -> str:
        record = f'{{"$type":"{collection}","createdAt":"{self._created(time, draws)}",{fields}}}'
        path = (collection, self._rkey(time, actor))
        return self._commit(time, draws, self.population.did(actor), "create", path, record)

    # One method for each kind of event

    def _post(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        post = self._posts.get(number)
        return (
            f'{{"did":"{post.did}","time_us":{self._witnessed(time, draws)},"kind":"commit","commit":{{'
            f'"rev":"{tid_of_micros(time - COMMIT_DELAY)}","operation":"create","collection":"{POST}",'
            f'"rkey":"{post.rkey}","record":{post.record},"cid":"{post.cid}"}}}}'
        )

    def _about_a_post(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        post = self._posts.get(self.popularity.choose(number, (draws[2], draws[3], draws[4])))
        return self._create(time, draws, deed.actor, _COLLECTIONS[deed.kind], f'"subject":{post.ref}')

    def _about_an_actor(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        other = self.population.did(self.population.followed(deed.actor, draws[2], number))
        return self._create(time, draws, deed.actor, _COLLECTIONS[deed.kind], f'"subject":"{other}"')

    def _undo(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        assert deed.target is not None
        created = TARGETS[deed.kind][0]
        if created is Kind.FOREIGN:
            path = self._foreign_path(deed.target, deed.actor)
        else:
            path = (_COLLECTIONS[created], self._rkey(self.timeline.time_of(deed.target), deed.actor))
        return self._commit(time, draws, self.population.did(deed.actor), "delete", path, "")

    def _foreign(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        created, operation = (number, "create") if deed.target is None else (deed.target, "update")
        did, path = self.population.did(deed.actor), self._foreign_path(created, deed.actor)
        record = foreign(path[0], did, self._created(self.timeline.time_of(created), draws), draws[6])
        return self._commit(time, draws, did, operation, path, record)

    def _foreign_path(self, number: int, actor: int) -> tuple[str, str]:
        collection = FOREIGN_COLLECTIONS[number % len(FOREIGN_COLLECTIONS)]
        if collection == FOREIGN_COLLECTIONS[-1]:
            return collection, f"{self.population.did(actor)}::did:web:{number}.demo.test"
        return collection, self._rkey(self.timeline.time_of(number), actor)

    def _post_again(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        assert deed.target is not None
        post = self._posts.get(deed.target)
        record = "" if deed.kind is Kind.POST_DELETE else self._posts.write(deed.target, number)[0]
        return self._commit(time, draws, post.did, _OPERATIONS[deed.kind], (POST, post.rkey), record)

    def _profile(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        actor, population = deed.actor, self.population
        created = datetime_of_micros(self.timeline.start_us - draws[6] * 1_000_000)
        record = profile(population.name(actor), population.language(actor), created, draws[7], number)
        return self._commit(time, draws, population.did(actor), _OPERATIONS[deed.kind], (PROFILE, "self"), record)

    def _handle_change(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        return self._identity(number, time, draws, *self.handle_change(number))

    def _account(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        did, status = self.population.did(deed.actor), deed.status
        active = "true" if status is None else "false"
        said = "" if status is None else f',"status":"{status}"'
        return (
            f'{{"did":"{did}","time_us":{self._witnessed(time, draws)},"kind":"account","account":{{"active":{active},'
            f'"did":"{did}","seq":{_FIRST_SEQ + number}{said},"time":"{datetime_of_micros(time - COMMIT_DELAY)}"}}}}'
        )

    def _birth(self, number: int, time: int, draws: Draws, deed: Deed) -> str:
        if deed.step == 0:
            return self._identity(number, time, draws, deed.actor, self.population.handle(deed.actor))
        return self._account(number, time, draws, deed) if deed.step == 1 else self._profile(number, time, draws, deed)
