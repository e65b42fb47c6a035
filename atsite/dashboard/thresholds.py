"""From numbers to tiles: is this well, worth a look, or does someone have to act, and what to do then. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from atsite.dashboard.number_words import count, size, span

if TYPE_CHECKING:
    from atsite.dashboard.numbers import Disk, Numbers, Scheduled

#: A batch is written each second or two; a minute behind is a restart, ten minutes are a fault.
LAG_LOOK, LAG_ACT = timedelta(minutes=1), timedelta(minutes=10)
#: Without an acknowledgement for so long the indexer is down or cannot write.
SILENT_LOOK, SILENT_ACT = timedelta(seconds=30), timedelta(minutes=3)
#: A single odd event is the network's; many in a day are a fault of ours or a new kind of record.
LETTERS_ACT: Final = 1000
#: One round of all tasks is below 20 messages; more wait only where the worker does not keep up.
QUEUE_LOOK, QUEUE_ACT = 50, 500
#: A task is late after two of its periods and a minute, and missing after five.
LATE_PERIODS, MISSING_PERIODS, GRACE = 2, 5, timedelta(minutes=1)
#: Above the indexer's own limit by this factor the disk is watched.
DISK_LOOK: Final = 3
SLOW_MS: Final = 500


class State(StrEnum):
    """Also the CSS class (at-…). Quiet: there is nothing to judge yet."""

    OK = "ok"
    QUIET = "quiet"
    LOOK = "look"
    ACT = "act"


#: The state as a word: colour alone tells nothing to who cannot see it.
WORDS: Final = {State.OK: "ok", State.QUIET: "quiet", State.LOOK: "have a look", State.ACT: "act"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with its state. `todo` says what to do, where something is to be done; `link` is an admin URL name."""

    key: str
    title: str
    state: State
    value: str
    detail: str = ""
    todo: str = ""
    link: str = ""

    @property
    def word(self) -> str:
        return WORDS[self.state]


def tiles(numbers: Numbers) -> tuple[Tile, ...]:
    """Every tile, in the order of the page."""
    return (
        _lag(numbers),
        _events(numbers),
        _gaps(numbers),
        _dead_letters(numbers),
        _feed_use(numbers),
        _worker(numbers),
        *(_store(name, answer) for name, answer in numbers.stores.items()),
        _disk("disk", "Disk of this site", numbers.disk),
        _disk("clickhouse_disk", "Disk of ClickHouse", numbers.clickhouse_disk),
    )


def _away(key: str, title: str, store: str) -> Tile:
    return Tile(key, title, State.ACT, "unknown", f"{store} does not answer", f"Look at {store} first, below.")


def _lag(numbers: Numbers) -> Tile:
    key, title, link = "lag", "Indexer is behind by", "admin:indexer_indexercheckpoint_changelist"
    stream = numbers.stream
    if stream is None:
        return _away(key, title, "ClickHouse")
    if stream.reached is None or stream.acked_at is None:
        todo = "Start it: manage.py run_indexer (./just up and ./just demo do)."
        return Tile(key, title, State.ACT, "nothing indexed yet", "no checkpoint", todo, link)
    lag, silent = numbers.at - stream.reached, numbers.at - stream.acked_at
    detail = f"last stored {span(silent)} ago"
    if numbers.filtered:
        return Tile(key, title, State.QUIET, span(lag), f"{detail}; only WANTED_… is indexed", link=link)
    if silent >= SILENT_ACT:
        todo = "The indexer stores nothing: see that it runs, and what its log says. It continues where it stopped."
        return Tile(key, title, State.ACT, span(lag), detail, todo, link)
    if lag >= LAG_ACT:
        todo = "It runs and does not keep up, or is catching up: watch whether this falls. Nothing is lost."
        return Tile(key, title, State.ACT, span(lag), detail, todo, link)
    if silent >= SILENT_LOOK or lag >= LAG_LOOK:
        return Tile(key, title, State.LOOK, span(lag), detail, "Normal after a restart, for a minute or two.", link)
    return Tile(key, title, State.OK, span(lag), detail, link=link)


def _events(numbers: Numbers) -> Tile:
    key, title, link = "events", "Events stored per second", "admin:indexer_reporecord_changelist"
    if numbers.tables is None:
        return _away(key, title, "ClickHouse")
    records = sum(table.rows for table in numbers.tables if table.name == "repo_records")
    detail = f"{count(records)} raw events kept"
    if numbers.events_per_second is None:
        return Tile(key, title, State.QUIET, "measuring", detail, link=link)
    state = State.OK if numbers.events_per_second or numbers.filtered else State.LOOK
    todo = "Nothing arrived just now: see how far the indexer is behind." if state is State.LOOK else ""
    return Tile(key, title, state, count(numbers.events_per_second), detail, todo, link)


def _gaps(numbers: Numbers) -> Tile:
    key, title, link = "gaps", "Gaps noticed this week", "admin:indexer_streamgap_changelist"
    gaps = numbers.gaps
    if gaps is None:
        return _away(key, title, "ClickHouse")
    if gaps.newest is None:
        return Tile(key, title, State.OK, "none", "nothing was left out", link=link)
    detail = (
        f"{span(timedelta(seconds=gaps.missing_seconds))} of the stream, the last {span(numbers.at - gaps.newest)} ago"
    )
    todo = "What happened in them is missing: backfill the actors that matter to you (Members)."
    state = State.ACT if numbers.at - gaps.newest < timedelta(days=1) else State.LOOK
    return Tile(key, title, state, count(gaps.count), detail, todo, link)


def _dead_letters(numbers: Numbers) -> Tile:
    key, title, link = "dead_letters", "Dead letters", "admin:indexer_deadletter_changelist"
    letters = numbers.dead_letters
    if letters is None:
        return _away(key, title, "ClickHouse")
    if not letters.count:
        return Tile(key, title, State.OK, "none", "every event could be read", link=link)
    detail = f"{count(letters.last_day)} in the last day"
    if letters.last_day >= LETTERS_ACT:
        todo = "So many are our fault or something new in the network: see the reasons, update, then try them again."
        return Tile(key, title, State.ACT, count(letters.count), detail, todo, link)
    todo = "Events that could not be read; a few are normal. After an update they can be tried again."
    return Tile(key, title, State.LOOK if letters.last_day else State.OK, count(letters.count), detail, todo, link)


def _feed_use(numbers: Numbers) -> Tile:
    key, title, link = "feed_use", "Feed requests today", "admin:feeds_feeddefinition_changelist"
    if numbers.feed_use is None:
        return _away(key, title, "Redis")
    feeds = "feeds unknown" if numbers.enabled_feeds is None else f"{numbers.enabled_feeds} feeds switched on"
    detail = f"{count(numbers.feed_use.interactions)} interactions; {feeds}"
    if not numbers.feed_use.requests:
        todo = "No feed has been read today (UTC). If they are published, check that the feed generator is reachable."
        return Tile(key, title, State.QUIET, "0", detail, todo, link)
    return Tile(key, title, State.OK, count(numbers.feed_use.requests), detail, link=link)


def _worker(numbers: Numbers) -> Tile:
    key, title = "worker", "Tasks waiting"
    if numbers.queue is None or numbers.schedule is None:
        return _away(key, title, "Redis")
    states = [schedule_state(line, numbers)[0] for line in numbers.schedule]
    late = sum(state in (State.LOOK, State.ACT) for state in states)
    detail = f"{late} of {len(states)} kinds late or failed" if late else "all on time"
    value = count(numbers.queue)
    if numbers.queue >= QUEUE_ACT or State.ACT in states:
        todo = "See that worker and beat run (celery -A atsite worker, … beat), and the table of tasks below."
        return Tile(key, title, State.ACT, value, detail, todo)
    if numbers.queue >= QUEUE_LOOK or late:
        return Tile(key, title, State.LOOK, value, detail, "See the table of tasks below.")
    return Tile(key, title, State.QUIET if set(states) == {State.QUIET} else State.OK, value, detail)


def schedule_state(line: Scheduled, numbers: Numbers) -> tuple[State, str]:
    """A task's state and why, in a few words."""
    if line.last is None:
        return State.QUIET, "not yet"
    age = numbers.at - line.last.ended_at
    if age > line.period * MISSING_PERIODS + GRACE:
        return State.ACT, "missing"
    if line.last.outcome == "failed":
        return State.LOOK, "failed"
    if age > line.period * LATE_PERIODS + GRACE:
        return State.LOOK, "late"
    return State.OK, "ok"


#: What each store holds, and what stands still without it.
STORES: Final = {
    "ClickHouse": "Posts, likes, follows. Without it the indexer waits, losing nothing; feeds serve what they have.",
    "Redis": "Rankings, caches, the queue. Without it feeds answer from memory and tasks stand still.",
    "default": "People, labels, keys, feeds. Without it nothing changes, and feeds live on caches for half a minute.",
}


def _store(name: str, answer: float | None) -> Tile:
    title = "Database of decisions" if name == "default" else name
    if answer is None:
        return Tile(
            name.lower(), title, State.ACT, "away", STORES[name], "Start it again, and see its log and its disk."
        )
    state = State.LOOK if answer > SLOW_MS else State.OK
    todo = "It answers slowly: see what else runs on its machine." if state is State.LOOK else ""
    return Tile(name.lower(), title, state, f"{answer:.0f} ms", STORES[name], todo)


def _disk(key: str, title: str, disk: Disk | None) -> Tile:
    if disk is None:
        return _away(key, title, "ClickHouse")
    value, detail = (
        f"{size(disk.free)} free",
        f"of {size(disk.whole)}; the indexer pauses below {size(disk.pause_below)}",
    )
    todo = "Make room or add a disk; KEEP_RAW_DAYS says how long raw events are kept."
    if disk.free < disk.pause_below:
        return Tile(key, title, State.ACT, value, detail, todo)
    if disk.free < disk.pause_below * DISK_LOOK:
        return Tile(key, title, State.LOOK, value, detail, todo)
    return Tile(key, title, State.OK, value, detail)
