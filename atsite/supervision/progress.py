"""The progress line of the indexer, and what it says when nothing arrives. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.index.stream_state import StreamState

#: The tables that the line names; more would make it too long.
TABLES = ("posts", "likes", "reposts", "follows")


@dataclass(frozen=True)
class Sample:
    """The state at one moment; None where there was no answer."""

    #: Seconds of a monotonic clock.
    at: float
    #: Events the indexer has read since it started.
    events: float | None = None
    #: Seconds from an event's witness time to its insert.
    lag: float | None = None
    #: Rows per table.
    rows: Mapping[str, int] = field(default_factory=dict)
    #: What the indexer says of its connection.
    stream: StreamState | None = None
    #: What is wrong with that connection, as a sentence; "" where nothing is.
    problem: str = ""

    def at_least(self, before: Sample) -> Sample:
        """This sample, with no total below that of `before`.

        A merge drops duplicate rows, and while ClickHouse is unavailable there is no count: neither means that the
        network has fewer records.
        """
        tables = {*before.rows, *self.rows}
        return replace(self, rows={table: max(before.rows.get(table, 0), self.rows.get(table, 0)) for table in tables})


def progress_line(before: Sample, now: Sample) -> str:
    """`8,412 events/s · 71 h 12 min behind · posts 102,030 · likes 220,123`."""
    if now.events is None:
        parts = ["waiting for the indexer"]
    elif now.problem:
        parts = [now.problem]
    else:
        # Smaller than before: the indexer was started again and counts from zero.
        earlier = before.events if before.events is not None and before.events <= now.events else 0.0
        rate = (now.events - earlier) / max(now.at - before.at, 0.001)
        parts = [f"{rate:,.0f} events/s"]
        if now.lag is not None and now.events > 0:  # before the first event the gauge is zero
            parts.append(last_event(now.lag) if now.stream is not None and now.stream.filtered else behind(now.lag))
    parts += [f"{table} {now.rows[table]:,}" for table in TABLES if table in now.rows]
    return " · ".join(parts)


def last_event(seconds: float) -> str:
    """How long ago the newest stored event was: a stream of a few accounts is quiet without being behind."""
    return "live" if seconds < 3 else f"last event {behind(seconds).removesuffix(' behind')} ago"


def change_of(before: str, now: str) -> str:
    """What to say when the problem of the stream changed; "" where it is the same."""
    if now == before:
        return ""
    return f"The stream: {now}." if now else "The stream: events can arrive again."


def behind(seconds: float) -> str:
    """A lag in readable units."""
    if seconds < 3:
        return "live"
    if seconds < 120:
        return f"{seconds:.0f} s behind"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min behind"
    return f"{minutes // 60} h {minutes % 60} min behind"
