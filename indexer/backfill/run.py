"""One backfill: collection after collection, page after page, each durable before the next is asked for.

What is missing from the lists is only remembered meanwhile. Tombstones are written when all of them are complete.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from atsite.core.atproto.tid import is_tid, micros_of_tid, tid_of_micros, tid_to_int
from atsite.core.clickhouse import door
from indexer.backfill import rules
from indexer.backfill.queries import held
from indexer.backfill.repo import NotNow, Unusable
from indexer.index import do_not_index, queries
from indexer.index.floors import Floors
from indexer.stream.batch import Batcher
from indexer.stream.decode import MAX_AHEAD_US

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from atsite.core.atproto.syntax import Did
    from indexer.index.events import RecordEvent
    from indexer.index.records import Columns
    from indexer.stream.batch import Batch

PROFILE: Final = "app.bsky.actor.profile"
#: Profile first: it is one record, and from then on the actor has a name. Then what feeds show.
COLLECTIONS: Final = (
    PROFILE,
    "app.bsky.feed.post",
    "app.bsky.feed.repost",
    "app.bsky.feed.like",
    "app.bsky.graph.follow",
    "app.bsky.graph.block",
)
SOURCE: Final = "backfill"
DAYS: Final = 30
DAY_US: Final = 24 * 3600 * 1_000_000
#: Tombstones that are written at once.
TOMBSTONES: Final = 2_000


class Repo(Protocol):
    """What is asked of the PDS (indexer.backfill.repo.Repo)."""

    did: Did

    def latest_rev(self) -> str: ...
    def page(self, collection: str, cursor: str) -> bytes: ...
    def has(self, collection: str, rkey: str) -> bool: ...


class Sink(Protocol):
    """Returns when every row is durable (indexer.stream.sink.Sink)."""

    def write(self, batch: Batch, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is: enough to go on after a kill. Counts are of all its runs."""

    #: Collections that are done, and of the one under way the PDS's cursor and the key below which it goes on.
    done: tuple[str, ...] = ()
    cursor: str = ""
    high: str = rules.ABOVE_ALL
    pages: int = 0
    #: By collection: how many records are held that the lists tell about, and which of them are missing, by the rev
    #: that was asked before the list.
    held: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    listed: int = 0
    written: int = 0
    removed: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Run:
    """A run of one backfill. `save` keeps the progress after each page; whatever it raises ends the run."""

    repo: Repo
    sink: Sink
    since: str
    save: Callable[[Progress], None]
    wanted: Collection[str] = ()
    now_us: Callable[[], int] = field(default=lambda: time.time_ns() // 1_000)

    def run(self, progress: Progress) -> Progress:
        """Go on from `progress` to the end.

        Raises Gone, NotNow, Unusable, UnreadablePage, Undecidable, ClickHouseError. The rev is asked anew by
        each run: what a page lists is at least as new as a rev asked before it.
        """
        rev = self._rev()
        for collection in COLLECTIONS:
            if collection not in progress.done and _is_wanted(collection, self.wanted):
                progress = self._collection(collection, rev, progress)
        self._confirm(progress)
        return self._bury(progress)

    def _rev(self) -> str:
        if self.repo.did in do_not_index.refused():
            raise Unusable("this site does not index the actor")
        rev = self.repo.latest_rev()
        if not is_tid(rev) or micros_of_tid(rev) > self.now_us() + MAX_AHEAD_US:
            raise Unusable(f"its PDS gives no usable rev: {rev[:40]!r}")
        floor = max((row.floor for row in queries.floors_of([self.repo.did])), default=0)
        if tid_to_int(rev) < floor:
            # A floor lies minutes ahead of the deletion; whoever came back writes beyond it.
            raise NotNow("nothing was written since what is indexed of the actor was ended here")
        return rev

    def _collection(self, collection: str, rev: str, progress: Progress) -> Progress:
        since = "" if collection == PROFILE else self.since
        listing = rules.Listing(progress.pages)
        while True:
            source = rules.Source(self.repo.did, collection, rev, self.now_us())
            page = rules.parse_page(self.repo.page(collection, progress.cursor), source)
            listing.add(page, progress.cursor)
            span = rules.span_of(page, since=since, high=progress.high)
            folded = rules.fold(page, span, held(self.repo.did, collection, span), source)
            progress = replace(
                _with(progress, source, folded),
                cursor=page.cursor,
                high=span.low,
                pages=listing.pages,
                listed=progress.listed + len(page.records),
                written=progress.written + self._write(folded.events),
                unreadable=progress.unreadable + folded.unreadable,
            )
            if not page.cursor or span.low <= since:
                done = (*progress.done, collection)
                progress = replace(progress, done=done, cursor="", high=rules.ABOVE_ALL, pages=0)
                self.save(progress)
                return progress
            self.save(progress)

    def _confirm(self, progress: Progress) -> None:
        """Ask for a sample where much is missing: of each collection, and of all together. Raises Unusable."""
        everything = tuple(progress.missing)
        for names in dict.fromkeys((everything, *((name,) for name in everything))):
            keys = sorted((name, rkey) for name in names for rkeys in progress.missing[name].values() for rkey in rkeys)
            if not rules.is_doubtful(len(keys), sum(progress.held[name] for name in names)):
                continue
            for collection, rkey in rules.sample(keys):
                if self.repo.has(collection, rkey):
                    raise Unusable(f"its PDS does not list {collection}/{rkey}, and has it: nothing is removed")

    def _bury(self, progress: Progress) -> Progress:
        """Write the tombstones of what is missing."""
        for collection, by_rev in progress.missing.items():
            for rev, rkeys in by_rev.items():
                source = rules.Source(self.repo.did, collection, rev, self.now_us())
                for start in range(0, len(rkeys), TOMBSTONES):
                    events = [rules.tombstone(rkey, source) for rkey in rkeys[start : start + TOMBSTONES]]
                    progress = replace(progress, removed=progress.removed + self._write(events))
        progress = replace(progress, missing={}, held={})
        self.save(progress)
        return progress

    def _write(self, events: Sequence[RecordEvent]) -> int:
        """Through the indexer's own batch and sink; how many were written.

        The floors are asked each time, as a deletion may come midway.
        """
        batcher = Batcher(floors=Floors(queries.floors_of([self.repo.did])), wanted=self.wanted)
        batcher.refused = do_not_index.refused()
        for event in events:
            batcher.add(event, len(event.record_json), 0.0)
        batch = batcher.take()
        if batch:
            self.sink.write(batch)
        return len(batch.records)


def _with(progress: Progress, source: rules.Source, folded: rules.Folded) -> Progress:
    """The progress with what is held and what is missing of one more page."""
    name = source.collection
    held = {**progress.held, name: progress.held.get(name, 0) + folded.held}
    if not folded.missing:
        return replace(progress, held=held)
    of_collection = dict(progress.missing.get(name, {}))
    of_collection[source.rev] = [*of_collection.get(source.rev, ()), *folded.missing]
    return replace(progress, held=held, missing={**progress.missing, name: of_collection})


def since_of(days: int, now_us: int) -> str:
    """The smallest key of a record that is `days` old."""
    return tid_of_micros(max(now_us - days * DAY_US, 0))


def insert(table: str, columns: Columns, *, name: str) -> int:
    """The door's insert, for a Sink whose records came from a repo and not from the stream."""
    if table == "repo_records":
        columns = {**columns, "source": [SOURCE] * len(columns["repo"])}
    return door.insert(table, columns, name=f"{name}.{SOURCE}")


def _is_wanted(collection: str, wanted: Collection[str]) -> bool:
    """As Batcher understands WANTED_COLLECTIONS; nothing named means everything."""
    return not wanted or any(
        collection == name or (name.endswith(".*") and collection.startswith(name[:-1])) for name in wanted
    )
