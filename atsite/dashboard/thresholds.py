"""Turns the numbers into tiles: ok, worth a look, or a reason to act, and what to do then. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from atsite.dashboard.number_words import count, size, span
from indexer.index.stream_state import Condition, clock

if TYPE_CHECKING:
    from atsite.dashboard.numbers import Disk, Numbers, Scheduled
    from indexer.index.stream_state import StreamState

#: A batch is written every second or two: a minute behind is normal after a restart, ten minutes are a fault.
LAG_LOOK, LAG_ACT = timedelta(minutes=1), timedelta(minutes=10)
#: An indexer without an acknowledgement for this long is down or cannot write.
SILENT_LOOK, SILENT_ACT = timedelta(seconds=30), timedelta(minutes=3)
#: Single invalid events come from the network; many in a day are our fault or a new kind of record.
LETTERS_ACT: Final = 1000
#: One round of all tasks is less than 20 messages; more wait only if the worker does not keep up.
QUEUE_LOOK, QUEUE_ACT = 50, 500
#: A task is late after two of its periods and a minute, and missing after five.
LATE_PERIODS, MISSING_PERIODS, GRACE = 2, 5, timedelta(minutes=1)
#: Warn when the free space is less than this many times the indexer's own limit.
DISK_LOOK: Final = 3
SLOW_MS: Final = 500


class State(StrEnum):
    """Also the CSS class (at-…). Quiet: no data to judge yet."""

    OK = "ok"
    QUIET = "quiet"
    LOOK = "look"
    ACT = "act"


#: The state as a word, for people who cannot see the colour.
WORDS: Final = {State.OK: "ok", State.QUIET: "quiet", State.LOOK: "have a look", State.ACT: "act"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with its state. `todo` says what to do, if anything; `link` is an admin URL name."""

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
        _cleanups(numbers),
        *(_store(name, answer) for name, answer in numbers.stores.items()),
        _disk("disk", "Disk of this site", numbers.disk),
        _disk("clickhouse_disk", "Disk of ClickHouse", numbers.clickhouse_disk),
    )


def _away(key: str, title: str, store: str) -> Tile:
    return Tile(key, title, State.ACT, "unknown", f"{store} does not answer", f"Check {store} first, below.")


def _lag(numbers: Numbers) -> Tile:
    key, title, link = "lag", "Indexer is behind by", "admin:indexer_indexercheckpoint_changelist"
    stream, connection = numbers.stream, numbers.connection
    problem = "" if connection is None else connection.problem(numbers.at.timestamp())
    if stream is None:
        return _away(key, title, "ClickHouse")
    if connection is not None and problem and connection.condition is not Condition.QUIET:
        value = "nothing indexed yet" if stream.reached is None else span(numbers.at - stream.reached)
        return Tile(key, title, State.ACT, value, problem, _what_to_do(connection, numbers), link)
    if stream.reached is None or stream.acked_at is None:
        todo = "Start it with manage.py run_indexer (./just up and ./just demo start it)."
        return Tile(key, title, State.ACT, "nothing indexed yet", "no checkpoint", todo, link)
    lag, silent = numbers.at - stream.reached, numbers.at - stream.acked_at
    detail = f"last stored {span(silent)} ago"
    if numbers.filtered:
        return Tile(key, title, State.QUIET, span(lag), f"{detail}; {problem or 'only WANTED_… is indexed'}", link=link)
    if silent >= SILENT_ACT:
        todo = "The indexer stores nothing: check that it runs, and read its log. It continues where it stopped."
        return Tile(key, title, State.ACT, span(lag), detail, todo, link)
    if lag >= LAG_ACT:
        todo = "It is catching up, or does not keep up: check whether this number falls. Nothing is lost."
        return Tile(key, title, State.ACT, span(lag), detail, todo, link)
    if silent >= SILENT_LOOK or lag >= LAG_LOOK:
        return Tile(key, title, State.LOOK, span(lag), detail, _why_behind(connection, numbers), link)
    return Tile(key, title, State.OK, span(lag), detail, link=link)


def _why_behind(connection: StreamState | None, numbers: Numbers) -> str:
    """Why the indexer is a little behind, though it is connected."""
    if connection is None:
        return "Normal after a restart, for a minute or two."
    now = numbers.at.timestamp()
    if now - connection.since < SILENT_LOOK.total_seconds():
        return f"{connection.host} sends events, and the indexer catches up with them."
    return f"{connection.host} has sent no event since {clock(connection.since, now)}."


def _what_to_do(connection: StreamState, numbers: Numbers) -> str:
    """The next step where no events can arrive."""
    if connection.has_ended(numbers.at.timestamp()):
        return (
            "Start the indexer (./just up and ./just demo restart it), and read its log. It continues where it stopped."
        )
    if connection.condition is Condition.SILENT:
        return "The host answers and sends nothing: set WS_URL to another Jetstream host if this lasts."
    return "The indexer tries again by itself and continues where it stopped. Check the network, and WS_URL."


def _events(numbers: Numbers) -> Tile:
    key, title, link = "events", "Events stored per second", "admin:indexer_reporecord_changelist"
    if numbers.tables is None:
        return _away(key, title, "ClickHouse")
    records = sum(table.rows for table in numbers.tables if table.name == "repo_records")
    detail = f"{count(records)} raw events kept"
    if numbers.events_per_second is None:
        return Tile(key, title, State.QUIET, "measuring", detail, link=link)
    state = State.OK if numbers.events_per_second or numbers.filtered else State.LOOK
    todo = "Nothing arrived in the last seconds: check how far the indexer is behind." if state is State.LOOK else ""
    return Tile(key, title, state, count(numbers.events_per_second), detail, todo, link)


def _gaps(numbers: Numbers) -> Tile:
    key, title, link = "gaps", "Gaps noticed this week", "admin:indexer_streamgap_changelist"
    gaps = numbers.gaps
    if gaps is None:
        return _away(key, title, "ClickHouse")
    if gaps.newest is None:
        return Tile(key, title, State.OK, "none", "the stream is complete", link=link)
    detail = (
        f"{span(timedelta(seconds=gaps.missing_seconds))} of the stream, the last {span(numbers.at - gaps.newest)} ago"
    )
    todo = "The events of these gaps are missing: backfill the actors that matter to you (Members)."
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
        todo = "So many point to a bug or a change in the network: read the reasons, update atsite, then retry them."
        return Tile(key, title, State.ACT, count(letters.count), detail, todo, link)
    todo = "Events that could not be read; a few are normal. You can retry them after an update."
    return Tile(key, title, State.LOOK if letters.last_day else State.OK, count(letters.count), detail, todo, link)


def _feed_use(numbers: Numbers) -> Tile:
    key, title, link = "feed_use", "Feed requests today", "admin:feeds_feeddefinition_changelist"
    if numbers.feed_use is None:
        return _away(key, title, "Redis")
    feeds = "feeds unknown" if numbers.enabled_feeds is None else f"{numbers.enabled_feeds} feeds enabled"
    detail = f"{count(numbers.feed_use.interactions)} interactions; {feeds}"
    if not numbers.feed_use.requests:
        todo = "No feed has been read today (UTC). If feeds are published, check that the feed generator is reachable."
        return Tile(key, title, State.QUIET, "0", detail, todo, link)
    return Tile(key, title, State.OK, count(numbers.feed_use.requests), detail, link=link)


def _worker(numbers: Numbers) -> Tile:
    key, title = "worker", "Tasks waiting"
    if numbers.queue is None or numbers.schedule is None:
        return _away(key, title, "Redis")
    states = [schedule_state(line, numbers)[0] for line in numbers.schedule]
    late = sum(state in (State.LOOK, State.ACT) for state in states)
    detail = f"{late} of {len(states)} tasks late or failed" if late else "all on time"
    value = count(numbers.queue)
    if numbers.queue >= QUEUE_ACT or State.ACT in states:
        todo = "Check that worker and beat run (celery -A atsite worker, … beat), and see the table of tasks below."
        return Tile(key, title, State.ACT, value, detail, todo)
    if numbers.queue >= QUEUE_LOOK or late:
        return Tile(key, title, State.LOOK, value, detail, "See the table of tasks below.")
    return Tile(key, title, State.QUIET if set(states) == {State.QUIET} else State.OK, value, detail)


def schedule_state(line: Scheduled, numbers: Numbers) -> tuple[State, str]:
    """A task's state, and the reason in a word."""
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


def _cleanups(numbers: Numbers) -> Tile:
    key, title, link = "cleanups", "Clean-ups", "admin:cleanup_repocleanupjob_changelist"
    cleanups = numbers.cleanups
    if cleanups is None:
        return _away(key, title, "Relational database")
    failed = count(cleanups.failed) if cleanups.failed else "none"
    detail = f"{count(cleanups.active)} not ended; {failed} failed this week"
    if cleanups.paused_since is not None:
        by = f"by {cleanups.paused_by}, {span(numbers.at - cleanups.paused_since)} ago; {detail}"
        todo = "Let them go on when the reason for the pause is gone."
        return Tile(key, title, State.LOOK, "paused", by, todo, link)
    if cleanups.failed:
        todo = "Read the reason on the page of each, and try again those whose cause is gone."
        return Tile(key, title, State.LOOK, f"{failed} failed", detail, todo, link)
    value = f"{count(cleanups.active)} active" if cleanups.active else "none"
    return Tile(key, title, State.OK, value, detail, link=link)


#: What each store holds, and what stops without it.
STORES: Final = {
    "ClickHouse": "Posts, likes, follows. Without it the indexer waits and loses nothing; feeds serve old rankings.",
    "Redis": "Rankings, caches, the task queue. Without it feeds answer from memory and tasks do not run.",
    "default": "Users, labels, keys, feeds. Without it nothing can be changed, and feeds use caches for half a minute.",
}


def _store(name: str, answer: float | None) -> Tile:
    title = "Relational database" if name == "default" else name
    if answer is None:
        return Tile(
            name.lower(), title, State.ACT, "unavailable", STORES[name], "Restart it, and check its log and its disk."
        )
    state = State.LOOK if answer > SLOW_MS else State.OK
    todo = "It answers slowly: check the load of its machine." if state is State.LOOK else ""
    return Tile(name.lower(), title, state, f"{answer:.0f} ms", STORES[name], todo)


def _disk(key: str, title: str, disk: Disk | None) -> Tile:
    if disk is None:
        return _away(key, title, "ClickHouse")
    value, detail = (
        f"{size(disk.free)} free",
        f"of {size(disk.whole)}; the indexer pauses below {size(disk.pause_below)}",
    )
    todo = "Free some space or add a disk; KEEP_RAW_DAYS sets how long raw events are kept."
    if disk.free < disk.pause_below:
        return Tile(key, title, State.ACT, value, detail, todo)
    if disk.free < disk.pause_below * DISK_LOOK:
        return Tile(key, title, State.LOOK, value, detail, todo)
    return Tile(key, title, State.OK, value, detail)
