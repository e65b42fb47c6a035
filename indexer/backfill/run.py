"""Runs one backfill: one collection and page after the other, each durable before the next request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from atsite.core.atproto.tid import is_tid, micros_of_tid, tid_of_micros, tid_to_int
from atsite.core.clickhouse import door
from atsite.core.clock import DAY_US, now_us
from indexer.backfill import listing_comparison
from indexer.backfill.queries import held
from indexer.backfill.repo import NotNow, Unusable
from indexer.index import do_not_index, queries
from indexer.index.floors import Floors
from indexer.stream.batch import Batcher
from indexer.stream.decode import MAX_AHEAD_US

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from atsite.core.atproto.syntax import Did
    from indexer.index.events import RecordEvent
    from indexer.index.records import Columns
    from indexer.stream.writer import BatchSink

PROFILE: Final = "app.bsky.actor.profile"
#: The profile first, as it is one record and gives the actor a name; then what feeds show.
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
#: The most pages of one collection: a million records. A longer listing is not trusted.
PAGES_MAX: Final = 10_000
#: The most missing keys of one collection; they are stored with the progress until the listing is complete.
MISSING_MAX: Final = 50_000
#: Tombstones written at once.
TOMBSTONES: Final = 1_000


class Repo(Protocol):
    """The calls to the PDS (indexer.backfill.repo.Repo)."""

    did: Did

    def latest_rev(self) -> str: ...
    def page(self, collection: str, cursor: str) -> bytes: ...
    def lacks(self, collection: str, rkey: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a backfill, enough to resume after a kill. Counts are of all its runs."""

    #: The completed collections, and for the current one the PDS's cursor and the key below which it continues.
    done: tuple[str, ...] = ()
    cursor: str = ""
    high: str = listing_comparison.ABOVE_ALL
    #: Of the current collection: pages read, keys that could be missing, and (rev, rkey) of those that are.
    pages: int = 0
    alive: int = 0
    missing: tuple[Sequence[str], ...] = ()
    listed: int = 0
    written: int = 0
    removed: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Run:
    """A run of one backfill. `save` stores the progress after each page; any error of it ends the run."""

    repo: Repo
    sink: BatchSink
    since: str
    save: Callable[[Progress], None]
    wanted: Collection[str] = ()
    now_us: Callable[[], int] = now_us

    def run(self, progress: Progress) -> Progress:
        """Continue from `progress` to the end.

        Raises Gone, NotNow, Unusable, UnreadablePage, Undecidable, ClickHouseError. Each run
        reads the rev again: a page is always at least as new as a rev that was read before it.
        """
        rev = self._rev()
        for collection in COLLECTIONS:
            if collection not in progress.done and _is_wanted(collection, self.wanted):
                progress = self._collection(collection, rev, progress)
        return progress

    def _rev(self) -> str:
        if self.repo.did in do_not_index.excluded_dids():
            raise Unusable("this site does not index this actor")
        rev = self.repo.latest_rev()
        if not is_tid(rev) or micros_of_tid(rev) > self.now_us() + MAX_AHEAD_US:
            raise Unusable(f"its PDS returned an invalid rev: {rev[:40]!r}")
        floor = max((row.floor for row in queries.floors_of([self.repo.did])), default=0)
        if tid_to_int(rev) < floor:
            # A floor is minutes ahead of the deletion; an account that came back writes above it.
            raise NotNow("the actor has written nothing since its data was deleted here")
        return rev

    def _collection(self, collection: str, rev: str, progress: Progress) -> Progress:
        since = "" if collection == PROFILE else self.since
        asked: set[str] = set()
        while True:
            if progress.cursor in asked:
                raise Unusable(f"its PDS repeats the cursor {progress.cursor[:40]!r}, so its list never ends")
            asked.add(progress.cursor)
            listing = listing_comparison.CollectionListing(self.repo.did, collection, rev, self.now_us())
            page = listing_comparison.parse_page(self.repo.page(collection, progress.cursor), self.repo.did, collection)
            span = listing_comparison.span_of(page, since=since, high=progress.high)
            folded = listing_comparison.fold(page, span, held(self.repo.did, collection, span), listing)
            written = self._write(folded.events)
            progress = replace(
                progress,
                cursor=page.cursor,
                high=span.low,
                pages=progress.pages + 1,
                alive=progress.alive + folded.alive,
                missing=(*progress.missing, *((rev, rkey) for rkey in folded.missing)),
                listed=progress.listed + len(page.records),
                written=progress.written + written,
                unreadable=progress.unreadable + folded.unreadable,
            )
            if not page.cursor or span.low <= since:
                progress = self._complete(collection, progress, listing)
                self.save(progress)
                return progress
            _check_bounds(progress)
            self.save(progress)

    def _complete(self, collection: str, progress: Progress, listing: listing_comparison.CollectionListing) -> Progress:
        """The listing is complete: write tombstones for missing keys. Raises Unusable if the PDS contradicts itself."""
        for rkey in listing_comparison.to_ask(progress.missing, progress.alive):
            if not self.repo.lacks(collection, rkey):
                raise Unusable(
                    f"its PDS does not list {len(progress.missing)} of {progress.alive} records of {collection}, but"
                    f" has at least one of them ({rkey}): nothing was deleted"
                )
        removed = 0
        for start in range(0, len(progress.missing), TOMBSTONES):
            removed += self._write(listing_comparison.tombstones(progress.missing[start : start + TOMBSTONES], listing))
        return replace(
            progress,
            done=(*progress.done, collection),
            cursor="",
            high=listing_comparison.ABOVE_ALL,
            pages=0,
            alive=0,
            missing=(),
            removed=progress.removed + removed,
        )

    def _write(self, events: Iterable[RecordEvent]) -> int:
        """Write with the indexer's own batch and sink; returns how many records were written.

        Reads the floors each time, because a deletion may come meanwhile.
        """
        batcher = Batcher(floors=Floors(queries.floors_of([self.repo.did])), wanted=self.wanted)
        batcher.excluded = do_not_index.excluded_dids()
        for event in events:
            batcher.add(event, len(event.record_json), 0.0)
        batch = batcher.take()
        if batch:
            self.sink.write(batch)
        return len(batch.records)


def _check_bounds(progress: Progress) -> None:
    """Raises Unusable for a listing that is implausibly long."""
    if progress.pages >= PAGES_MAX:
        raise Unusable(f"its PDS lists more than {PAGES_MAX:,} pages of one collection")
    if len(progress.missing) > MISSING_MAX:
        raise Unusable(
            f"its PDS does not list more than {MISSING_MAX:,} records of one collection that are indexed here"
        )


def since_of(days: int, now_us: int) -> str:
    """The smallest key of a record that is `days` old."""
    return tid_of_micros(max(now_us - days * DAY_US, 0))


def insert(table: str, columns: Columns, *, name: str) -> int:
    """The door's insert, for a Sink of records from a repo instead of the stream."""
    if table == "repo_records":
        columns = {**columns, "source": [SOURCE] * len(columns["repo"])}
    return door.insert(table, columns, name=f"{name}.{SOURCE}")


def _is_wanted(collection: str, wanted: Collection[str]) -> bool:
    """Matches WANTED_COLLECTIONS like Batcher; an empty list means everything."""
    return not wanted or any(
        collection == name or (name.endswith(".*") and collection.startswith(name[:-1])) for name in wanted
    )
