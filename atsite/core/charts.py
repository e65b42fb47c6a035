"""Small bar charts, drawn by the server: geometry here, markup in templates/charts/bars.html. Pure.

    {% include "charts/bars.html" with chart=chart %}    {# a figure with its numbers as a table beneath #}

Drawn as SVG attributes, not styles: the pages' content security policy allows no inline style.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In units of the drawing, which the page scales.
HEIGHT: Final = 60
STEP: Final = 10
#: The least height of a bar for a value above 0.
LEAST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One value, and the rectangle that shows it."""

    label: str
    value: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from left to right. `caption` says what is counted and when."""

    caption: str
    bars: tuple[Bar, ...]
    #: The height of the drawing, and the width of one bar.
    height: ClassVar[int] = HEIGHT
    bar_width: ClassVar[int] = 8

    @property
    def width(self) -> int:
        """The width of the drawing; at least that of one bar."""
        return max(len(self.bars), 1) * STEP

    @property
    def total(self) -> int:
        return sum(bar.value for bar in self.bars)

    @property
    def highest(self) -> Bar | None:
        """The bar with the largest value (the first of several); None if all are 0."""
        largest = max(self.bars, key=lambda bar: bar.value, default=None)
        return largest if largest is not None and largest.value else None

    @property
    def told(self) -> list[Bar]:
        """The bars with a value above 0, for the table."""
        return [bar for bar in self.bars if bar.value]


def bars(caption: str, values: Sequence[tuple[str, int]]) -> Chart:
    """A chart of (label, value) pairs; values are not negative."""
    largest = max((value for _, value in values), default=0)
    return Chart(caption, tuple(_bar(index, label, value, largest) for index, (label, value) in enumerate(values)))


def _bar(index: int, label: str, value: int, largest: int) -> Bar:
    height = max(round(HEIGHT * value / largest, 2), LEAST) if value else 0.0
    return Bar(label, value, index * STEP, round(HEIGHT - height, 2), height)
