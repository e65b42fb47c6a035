"""Retries dead letters with the same decoder and floors as the stream, after the decoder has improved.

A letter that can now be indexed gets a tombstone after its rows are durable; one that is still dead stays unchanged. A
kill between the two steps repeats rows, which the tables tolerate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from indexer.index import do_not_index, queries, records
from indexer.index.events import AccountEvent, Dead, IdentityEvent, RecordEvent
from indexer.index.floors import Floors
from indexer.stream.batch import Batcher, Limits
from indexer.stream.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.index.queries import DeadLetterRow
    from indexer.stream.sink import Sink

#: Letters per batch: one may have 16 MB, most are below a kilobyte.
PAGE: Final = 500


@dataclass(slots=True)
class Outcome:
    """How many letters were indexed, were left out for good (skipped, below a floor), or are still dead, by reason."""

    indexed: int = 0
    left_out: int = 0
    still_dead: dict[str, int] = field(default_factory=dict)


def retry(sink: Sink, *, ids: Sequence[str] = (), reason: str = "", dry_run: bool = False) -> Outcome:
    """Retry all letters, or those with one of `ids`, or those with the reason. Raises as Sink.write does."""
    outcome = Outcome()
    for page in _pages(ids, reason):
        batcher = Batcher(Limits(rows=PAGE), floors=Floors(queries.floors_of(_dids(page))))
        batcher.excluded = do_not_index.excluded_dids()
        revived: list[DeadLetterRow] = []
        for letter in page:
            payload = _payload(letter)
            event = decode(payload)
            if isinstance(event, Dead):
                outcome.still_dead[event.reason] = outcome.still_dead.get(event.reason, 0) + 1
            else:
                batcher.add(event, len(payload), 0.0)
                revived.append(letter)
        batch = batcher.take()
        left_out = sum(batch.skipped.values())
        outcome.left_out += left_out
        outcome.indexed += len(revived) - left_out
        if not dry_run and revived:
            sink.write(batch)
            refused = {records.dead_letter_id(dead) for dead in batch.dead}
            outcome.indexed -= len(refused)
            _bury(sink, [letter for letter in revived if letter.id not in refused])
    return outcome


def _pages(ids: Sequence[str], reason: str) -> Iterator[list[DeadLetterRow]]:
    after = ""
    while page := queries.dead_letters(after=after, ids=ids, reason=reason, limit=PAGE):
        yield page
        after = page[-1].id


def _payload(letter: DeadLetterRow) -> bytes:
    return letter.payload if isinstance(letter.payload, bytes) else letter.payload.encode()


def _dids(page: Sequence[DeadLetterRow]) -> set[str]:
    """The dids of the page, to look up their floors."""
    events = [decode(_payload(letter)) for letter in page]
    repos = {event.repo for event in events if isinstance(event, RecordEvent)}
    return repos | {event.did for event in events if isinstance(event, IdentityEvent | AccountEvent)}


def _bury(sink: Sink, letters: Sequence[DeadLetterRow]) -> None:
    """Write tombstones, one version above the letters', so that a replay of the stream does not bring them back.

    They have no payload.
    """
    if not letters:
        return
    columns: records.Columns = {
        "id": [letter.id for letter in letters],
        "reason": [letter.reason for letter in letters],
        "host": [letter.host for letter in letters],
        "time_us": [letter.time_us for letter in letters],
        "version": [letter.version + 1 for letter in letters],
        "deleted": [1] * len(letters),
    }
    sink.insert("dead_letters", columns)
