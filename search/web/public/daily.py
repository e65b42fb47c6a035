"""The daily numbers of the network as charts for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from atsite.core import charts
from search.web.public.words import MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from atsite.core.charts import Chart
    from indexer.index.stats import Day


class _Kind(NamedTuple):
    name: str
    about: str
    value: Callable[[Day], int]
    unit: str = ""


_KINDS: Final = (
    _Kind("Posts", "posts and replies written on a day, without those that were deleted since", lambda day: day.posts),
    _Kind("Active people", "accounts that posted, liked, reposted, followed or blocked", lambda day: day.actors),
    _Kind("Likes", "likes given on a day, without those that were taken back", lambda day: day.likes),
    _Kind("Reposts", "reposts of a day, without those that were taken back", lambda day: day.reposts),
    _Kind("New follows", "follows of a day, without those that were taken back", lambda day: day.follows),
    _Kind(
        "Pictures with a description",
        "how many of a day's pictures have an alternative text, for people who cannot see them",
        lambda day: round(100 * day.images_with_alt / day.images) if day.images else 0,
        " %",
    ),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One number over the days. `latest`: of the last complete day; `rows`: day and number, newest first."""

    name: str
    about: str
    chart: Chart
    latest: str
    latest_day: str
    so_far: str
    most: str
    first: str
    last: str
    rows: list[tuple[str, str]]


def series(days: Sequence[Day], *, today: date) -> list[Series]:
    """A series for each kind of number; none where there are no days. `days`: oldest first."""
    return [_series(kind, days, today) for kind in _KINDS] if days else []


def _series(kind: _Kind, days: Sequence[Day], today: date) -> Series:
    values = [(_day(day.day, today), kind.value(day)) for day in days]
    chart = charts.bars(kind.name, values)
    complete = [value for day, value in zip(days, values, strict=True) if day.day < today]
    label, number = (complete or values)[-1]
    unfinished = values[-1][1] if complete and days[-1].day >= today else None
    highest = chart.highest
    return Series(
        name=kind.name,
        about=kind.about,
        chart=chart,
        latest=f"{number:,}{kind.unit}",
        latest_day=label,
        so_far="" if unfinished is None else f"{unfinished:,}{kind.unit}",
        most="" if highest is None else f"{highest.value:,}{kind.unit}",
        first=values[0][0],
        last=values[-1][0],
        rows=[(label, f"{value:,}{kind.unit}") for label, value in reversed(values)],
    )


def _day(day: date, today: date) -> str:
    return "today" if day == today else f"{day.day} {MONTHS[day.month - 1]}"
