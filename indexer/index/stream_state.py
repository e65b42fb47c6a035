"""What the indexer knows of its connection to the Jetstream host, and the sentence about it. Pure.

The indexer reports it every second (indexer.stream.state_reports); the overview and the terminal of `up` show it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

#: An indexer whose last report is older than this has ended, or hangs.
REPORTS_END_SECONDS: Final = 15.0
#: A connection is opened within this time, or there is something to say about it.
PATIENCE_SECONDS: Final = 5.0


class Condition(StrEnum):
    """The connection at one moment."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    #: Connected, but no event for a minute though the whole network is asked for.
    SILENT = "silent"
    #: Connected, and no event for a minute; only a part of the network is asked for, so that can be normal.
    QUIET = "quiet"
    #: The connection was lost or refused; the indexer tries again.
    LOST = "lost"
    #: The indexer has ended.
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StreamState:
    """One report. Times are unix seconds."""

    host: str
    condition: Condition
    #: When this condition began; of a stream without events, the time of the last one.
    since: float
    #: Why there is no connection, or why the indexer ended; "" otherwise.
    reason: str = ""
    #: WANTED_… asks for a part of the network only.
    filtered: bool = False
    #: When the indexer said so.
    at: float = 0.0

    def encode(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> StreamState:
        """From `encode`. Raises ValueError for anything else."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "condition": Condition(fields["condition"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a state of the stream: {error}") from error

    def has_ended(self, now: float) -> bool:
        """Whether no indexer runs any more."""
        return self.condition is Condition.STOPPED or now - self.at > REPORTS_END_SECONDS

    def problem(self, now: float) -> str:
        """What is wrong: host, reason and since when, without a full stop. "" while events can arrive."""
        since = clock(self.since, now)
        if self.condition is Condition.STOPPED:
            return f"the indexer of {self.host} stopped at {since}: {self.reason}"
        if now - self.at > REPORTS_END_SECONDS:
            return f"the indexer of {self.host} has given no sign of life since {clock(self.at, now)}"
        if self.condition is Condition.LOST:
            return f"no connection to {self.host} since {since}: {self.reason}"
        if self.condition is Condition.SILENT:
            return f"{self.host} is connected, but has sent no event since {since}"
        if self.condition is Condition.QUIET:
            return f"{self.host} has sent no event since {since}; it is asked only for what WANTED_… names"
        if self.condition is Condition.CONNECTING and now - self.since > PATIENCE_SECONDS:
            return f"connecting to {self.host} since {since}"
        return ""


def clock(at: float, now: float) -> str:
    """`14:03:05 UTC`, with the day where it was not within the last 24 hours."""
    moment = datetime.fromtimestamp(at, UTC)
    old = timedelta(seconds=now - at) >= timedelta(days=1)
    return f"{moment:%Y-%m-%d %H:%M UTC}" if old else f"{moment:%H:%M:%S UTC}"
