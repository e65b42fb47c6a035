"""The times of the simulated network's events: number <-> time, in closed form.

Events are numbered from 0. Three stretches follow each other:

    founding   every founder's identity, account, profile and first follows, evenly over the first hour
    preroll    `preroll_events`, ever denser, until the epoch; its last events come at the live rate
    live       `rate` events a second after the epoch, without end

Times are unix microseconds and strictly rise with the number. Nothing is stored, so any number and any time can be
computed at once, even a year after the epoch.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND

# A client that requests the last 72 hours shortly after the epoch still gets the first events.
START_SLACK: Final = 5 * 60 * SECOND
# identity, account, profile and four follows
FOUNDING_EVENTS: Final = 7
# The lifecycles of population.py take actors by eights and must not overtake those that exist.
FOUNDERS_MIN: Final = 16
# One event per microsecond is the most that distinct TIDs allow.
RATE_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """The parameters of a network; equal parameters give equal events."""

    seed: int
    epoch_us: int
    actors: int = 5_000
    rate: int = 50
    # With 5,000 founders the first 72 hours hold 290,000 events, or 255,000 where the founding is left out.
    preroll_events: int = 255_000
    preroll_hours: int = 72
    # How many events found the network, and the number of the event at the epoch.
    founding: int = field(init=False, compare=False)
    first_live: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.actors < FOUNDERS_MIN:
            raise ValueError(f"a network needs at least {FOUNDERS_MIN} actors, not {self.actors}")
        if not 1 <= self.rate <= RATE_MAX:
            raise ValueError(f"the rate must be 1 to {RATE_MAX} events a second, not {self.rate}")
        if self.preroll_events < 1 or self.preroll_hours < 2:
            raise ValueError("a preroll needs at least 1 event and 2 hours")
        object.__setattr__(self, "founding", self.actors * FOUNDING_EVENTS)
        object.__setattr__(self, "first_live", self.founding + self.preroll_events)

    @property
    def start_us(self) -> int:
        """The time of event 0."""
        return self.epoch_us - self.preroll_hours * HOUR + START_SLACK

    def time_of(self, number: int) -> int:
        """When event `number` happens, in unix microseconds."""
        before_epoch = self.first_live - number
        if before_epoch <= 0:
            return self.epoch_us + -before_epoch * SECOND // self.rate
        if before_epoch > self.preroll_events:
            return self.start_us + number * HOUR // self.founding
        # age = k * (the live step) + the rest of the span * (k / events)^2: a parabola that meets the live rate.
        linear = before_epoch * SECOND // self.rate
        span = (self.preroll_hours - 1) * HOUR - START_SLACK
        rest = max(0, span - self.preroll_events * SECOND // self.rate)
        return self.epoch_us - linear - rest * before_epoch * before_epoch // self.preroll_events**2

    def first_at(self, micros: int) -> int:
        """The number of the first event that happens at or after `micros`."""
        if micros > self.epoch_us:
            return self.first_live - ((self.epoch_us - micros) * self.rate // SECOND)
        return bisect_left(range(self.first_live), micros, key=self.time_of)
